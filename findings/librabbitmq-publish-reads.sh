#!/usr/bin/env bash
# librabbitmq: a publish takes what has arrived off the socket when nothing has been read for two heartbeats.
#
# Guess, before it was run: publishing only writes. A client that waits for confirms in an event loop watches the socket of
# amqp_get_sockfd for reading, and calls amqp_simple_wait_frame_noblock when it is readable.
#
# Seen with librabbitmq 0.11.0 (Debian 12) and RabbitMQ 3.10.8. Three messages are published with confirms, two seconds and more apart; the
# first confirm has arrived before the second message, and nothing is read. After the third:
#
#     heartbeat 0    something in the library: no,  something in the socket: yes
#     heartbeat 2    something in the library: yes, something in the socket: no
#
# When nothing has been read for two heartbeats, amqp_basic_publish looks whether the broker lives: it reads all that is there into its buffer, and keeps
# it for the next wait. A loop that sleeps on the socket then sleeps on confirms that it has, until something else arrives. (A
# guess that came in between, that every publish with a heartbeat reads, was wrong too: the second one reads nothing.) So before sleeping,
# also after a publish, ask amqp_frames_enqueued and amqp_data_in_buffer (here only the second says so).
set -euo pipefail

# shellcheck source=lib/rabbitmq.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/rabbitmq.sh"

await 1
(cd "$folder/packages" && apt-get download -qq librabbitmq4=0.11.0-1+deb12u3 librabbitmq-dev=0.11.0-1+deb12u3 2>/dev/null)
for package in "$folder"/packages/librabbitmq*.deb; do dpkg-deb --extract "$package" "$folder/root"; done

cat >"$folder/publish.c" <<'C'
#include <poll.h>
#include <amqp.h>
#include <amqp_tcp_socket.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

static void publish(amqp_connection_state_t connection) {
    /* The default exchange, and a queue that is not there: confirmed, since it is not mandatory. */
    int status = amqp_basic_publish(connection, 1, amqp_empty_bytes, amqp_cstring_bytes("nowhere"), 0, 0, NULL,
                                    amqp_cstring_bytes("x"));
    if (status != AMQP_STATUS_OK) exit(2);
}

static int stop_broker(const char *signal) {
    char command[64];
    snprintf(command, sizeof command, "kill -%s %s", signal, getenv("BROKER"));
    return system(command);
}

int main(int count, char **arguments) {
    int port = atoi(arguments[1]), heartbeat = atoi(arguments[2]);
    amqp_connection_state_t connection = amqp_new_connection();
    amqp_socket_t *socket = amqp_tcp_socket_new(connection);
    if (count != 3 || amqp_socket_open(socket, "127.0.0.1", port) != AMQP_STATUS_OK) return 2;
    amqp_login(connection, "/", 0, 131072, heartbeat, AMQP_SASL_METHOD_PLAIN, "guest", "guest");
    amqp_channel_open(connection, 1);
    amqp_confirm_select(connection, 1);
    if (amqp_get_rpc_reply(connection).reply_type != AMQP_RESPONSE_NORMAL) return 2;
    struct pollfd descriptor = {amqp_get_sockfd(connection), POLLIN, 0};
    publish(connection);
    /* Its confirm is there. */
    if (poll(&descriptor, 1, 10000) != 1) return 2;
    for (int count = 0; count < 2; count++) {
        if (amqp_frames_enqueued(connection)) return 2;
        usleep(2300000);
        /* Nothing that it has to say comes after the look at the socket. */
        if (count == 1 && stop_broker("STOP") != 0) return 2;
        publish(connection);
    }
    int bytes = -1;
    ioctl(amqp_get_sockfd(connection), FIONREAD, &bytes);
    printf("heartbeat %d: something in the library: %s, something in the socket: %s\n", heartbeat,
           amqp_frames_enqueued(connection) || amqp_data_in_buffer(connection) ? "yes" : "no", bytes > 0 ? "yes" : "no");
    if (stop_broker("CONT") != 0) return 2;
    return 0;
}
C
library=$folder/root/usr/lib/$(gcc -print-multiarch)
gcc -o "$folder/publish" "$folder/publish.c" -I"$folder/root/usr/include" -L"$library" -lrabbitmq
BROKER=$(pgrep --full "$folder.*beam.smp" | head -n 1)
export BROKER LD_LIBRARY_PATH=$library

for heartbeat in 0 2; do "$folder/publish" "$port" "$heartbeat"; done | tee "$folder/seen"

diff - "$folder/seen" <<'SEEN' || { echo "it has changed" >&2; exit 1; }
heartbeat 0: something in the library: no, something in the socket: yes
heartbeat 2: something in the library: yes, something in the socket: no
SEEN
