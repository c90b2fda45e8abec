import sys

import check_documents
import check_messages

arguments = sys.argv[1:]
is_complete = arguments[:1] == ["--complete"]
files = arguments[is_complete:]
found = list(check_messages.problems(files[0], is_complete)) if files else list(check_documents.problems())
for line in found[:40]:
    print(line, file=sys.stderr)
if len(found) > 40:
    print(f"… and {len(found) - 40} more", file=sys.stderr)
sys.exit(1 if found else 0)
