// The console works without this: it brings what is on the page up to date, copies, selects, and asks nothing of anybody else.
"use strict";

// A region whose content the server sends anew. What has the focus in it keeps it.
function live(region) {
    const source = new EventSource(region.dataset.live);
    const status = document.getElementById("live-status");
    source.addEventListener("page", (event) => {
        // What somebody is about to copy stays.
        const selection = window.getSelection();
        if (!selection.isCollapsed && region.contains(selection.anchorNode)) return;
        const focused = region.contains(document.activeElement) ? document.activeElement.id : null;
        const open = [...region.querySelectorAll("details[open]")].map((details) => details.id);
        region.innerHTML = event.data;
        for (const id of open) {
            const details = id && document.getElementById(id);
            if (details) details.open = true;
        }
        if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
        prepare(region);
        // Read aloud only when the sentence changes, not with every number.
        const said = region.querySelector("[data-said]")?.dataset.said ?? "";
        if (status && status.textContent !== said) status.textContent = said;
    });
    source.addEventListener("end", () => {
        source.close();
        if (region.dataset.reload !== undefined) window.location.reload();
    });
    window.addEventListener("pagehide", () => source.close());
}

async function copy(button) {
    const code = button.parentElement.querySelector("code");
    try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "Copied";
    } catch {
        // No clipboard here (a page that came without TLS): the text is selected instead.
        window.getSelection().selectAllChildren(code);
        button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
}

function prepare(root) {
    for (const button of root.querySelectorAll("button[data-copy]")) {
        button.hidden = false;
        button.addEventListener("click", () => copy(button));
    }
    for (const box of root.querySelectorAll("input[data-selects]")) {
        box.hidden = false;
        box.addEventListener("change", () => {
            for (const other of document.querySelectorAll(`input[name="${box.dataset.selects}"]`)) other.checked = box.checked;
        });
    }
}

prepare(document);
for (const region of document.querySelectorAll("[data-live]")) live(region);
for (const form of document.querySelectorAll("form[method=post]")) {
    form.addEventListener("submit", () => {
        for (const button of form.querySelectorAll("button")) setTimeout(() => { button.disabled = true; }, 0);
    });
}
// Back to a page whose button was pressed.
window.addEventListener("pageshow", () => {
    for (const button of document.querySelectorAll("form[method=post] button")) button.disabled = false;
});
