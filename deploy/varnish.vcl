# Varnish 7 in front of the hosts of a cluster, without sticky sessions, as a balancer that stores nothing.
# Edit: the hosts. Start it with `-p pipe_timeout=75s`: a WebSocket can be silent that long. docs/deploy.md says more.
vcl 4.1;

import directors;
import std;

# window = threshold: the first failed check takes a host out. STOP_DELAY_MS must be above the interval.
probe ready {
    .url = "/readyz";
    .interval = 1s;
    .timeout = 2s;
    .window = 1;
    .threshold = 1;
    .initial = 1;
}

# Above PING_INTERVAL_MS + PING_TIMEOUT_MS: a poll can wait that long.
backend rookery_1 { .host = "rookery-1"; .port = "3000"; .probe = ready; .connect_timeout = 3s; .first_byte_timeout = 75s; .between_bytes_timeout = 75s; }
backend rookery_2 { .host = "rookery-2"; .port = "3000"; .probe = ready; .connect_timeout = 3s; .first_byte_timeout = 75s; .between_bytes_timeout = 75s; }
backend rookery_3 { .host = "rookery-3"; .port = "3000"; .probe = ready; .connect_timeout = 3s; .first_byte_timeout = 75s; .between_bytes_timeout = 75s; }

sub vcl_init {
    new hosts = directors.round_robin();
    hosts.add_backend(rookery_1);
    hosts.add_backend(rookery_2);
    hosts.add_backend(rookery_3);
}

sub vcl_recv {
    # Varnish has appended to what the client sent, and a client can send anything.
    set req.http.X-Forwarded-For = client.ip;
    set req.http.X-Forwarded-Proto = "http";
    set req.backend_hint = hosts.backend();
    if (req.http.Upgrade ~ "(?i)websocket") {
        return (pipe);
    }
    # So that a request with a body can be sent again. Above MAX_PACKET_BYTES.
    std.cache_req_body(1MB);
    return (pass);
}

sub vcl_pipe {
    set bereq.http.Upgrade = req.http.Upgrade;
    set bereq.http.Connection = req.http.Connection;
}

# No host was reached: try another one.
sub vcl_backend_error {
    if (bereq.retries < 3 && bereq.method == "GET") {
        return (retry);
    }
}

sub vcl_backend_fetch {
    if (bereq.retries > 0) {
        set bereq.backend = hosts.backend();
    }
}

sub vcl_backend_response {
    set beresp.uncacheable = true;
    set beresp.do_stream = true;
}
