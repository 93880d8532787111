/* mload: an independent MQTT load generator (C, one thread, epoll, Linux; OpenSSL only for TLS).
 *
 * Publishers and subscribers run in one process. A window bounds the messages under way, so that a broker that sheds
 * QoS 0 load under pressure gains nothing by it, and every message is counted: a run ends when all are delivered (and
 * acknowledged at QoS 1 and 2), or says TIMEOUT. It shares no code with what it measures.
 *
 * Build: cc -O2 -o mload mload.c      Use: mload -h      Exit: 0 all delivered, 1 not all or not in order, 2 failure
 * With TLS: cc -O2 -DWITH_TLS -o mload mload.c -lssl -lcrypto
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef WITH_TLS
#include <openssl/err.h>
#include <openssl/ssl.h>
#endif

enum { CONNACK = 2, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK = 9, DISCONNECT = 14 };

#define MAX_LATENCIES (1L << 22)    /* beyond this many messages every 2nd, 3rd, ... latency is kept */
#define MAX_BURST 64                /* messages of one publisher joined before the next has its turn */
#define SUBSCRIBE_BYTES 60000       /* topic filters of one SUBSCRIBE */
#define CONNECTIONS_PER_ADDRESS 25000 /* source ports of one loopback address that we use */
#define MAX_CONNECTS_PENDING 50     /* more would overflow the broker's accept queue, which costs a second each */

/* ---- options ---- */

static int port = 1883, publishers = 1, subscribers = 1, qos = 0, payload_bytes = 64, window = 1000, version = 4;
static int use_tls = 0, use_websocket = 0, connects = 0, resume_sessions = 0;
static int broker_pid = 0, fan_out = 0, by_wildcard = 0, idle = 0, retain = 0, shared = 0, json = 0, durable = 0;
static long total = 100000;         /* messages to send */
static double duration_s = 0;       /* send for so long, instead of `total` messages */
static double rate = 0;             /* messages per second of all publishers together; 0 is as fast as it goes */
static double limit_s = 60, settle_s = 10;
static const char *label = "", *username = NULL, *password = "";

static const char HELP[] =
    "mload -p PORT [-P publishers] [-S subscribers] [-q qos] [-l payload bytes] [-w window] [-n messages]\n"
    "      [-d send for so many seconds, instead of -n] [-R messages per second] [-v 3|4|5] [-i BROKER_PID]\n"
    "      [-f every subscriber gets all] [-W by wildcard] [-g one shared group] [-r retain]\n"
    "      [-D subscribers have durable sessions]\n"
    "      [-I only open this many idle connections] [-s at most so many seconds for memory to settle, with -I]\n"
    "      [-u USER:PASSWORD]\n"
    "      [-e by TLS, and any certificate will do] [-b by WebSocket, each packet in a frame]\n"
    "      [-C only open and close connections, in so many processes, for -d seconds] [-K with TLS sessions resumed]\n"
    "      [-t limit seconds] [-N label] [-j one line of JSON]\n"
    "A publisher publishes to its own topic; subscriber k receives from publishers k, k+S, k+2S, ...\n";

/* ---- state ---- */

typedef struct {
  int fd, is_subscriber, index;
  int connected, subscribes_pending;
  uint8_t *in; size_t in_len, in_cap;
  uint8_t *out; size_t out_len, out_pos, out_cap;
  int want_write;
  long sent, acked;
  int receive_maximum;              /* unacknowledged messages that the broker allows us */
  uint16_t packet_id;
  uint8_t *framed; size_t framed_len, framed_pos, framed_cap; /* with WebSocket: what of `out` is in frames */
  uint8_t head[10]; int head_len;   /* of a frame that is being read */
  uint64_t frame_left;
#ifdef WITH_TLS
  SSL *ssl;
#endif
} Conn;

static Conn **conns;
static int conn_count, connected_count, epoll_fd, timer_fd = -1;
static long delivered, sent_all, acked_all, disordered;
static uint32_t *last_sequence;     /* per subscriber and publisher: a message twice must not hide one that is lost */
static double *latencies; static long latency_count, latency_stride = 1, latency_turn;

static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec + t.tv_nsec / 1e9; }

static void die(const char *what) {
  fprintf(stderr, "mload: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
  exit(2);
}

static void *must(void *memory) { if (!memory) die("out of memory"); return memory; }

/* ---- output: bytes are joined in `out` and written once ---- */

static uint8_t *reserve(Conn *c, size_t n) {
  if (c->out_pos == c->out_len) c->out_pos = c->out_len = 0;
  if (c->out_len + n > c->out_cap) { c->out_cap = (c->out_len + n) * 2; c->out = must(realloc(c->out, c->out_cap)); }
  return c->out + c->out_len;
}

static void want_write(Conn *c, int wanted) {
  if (c->want_write == wanted) return;
  struct epoll_event e = {.events = EPOLLIN | (wanted ? EPOLLOUT : 0), .data.ptr = c};
  epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &e);
  c->want_write = wanted;
}

/* ---- the ways to the broker: TCP, TLS, WebSocket ---- */

#ifdef WITH_TLS
static SSL_CTX *ssl_context;
static SSL_SESSION *ssl_session; /* of the last connection, to be resumed */

static void die_of_tls(const char *what) {
  char text[256];
  ERR_error_string_n(ERR_get_error(), text, sizeof text);
  fprintf(stderr, "mload: %s: %s\n", what, text);
  exit(2);
}

static int keep_session(SSL *ssl, SSL_SESSION *session) {
  (void)ssl;
  if (ssl_session) SSL_SESSION_free(ssl_session);
  ssl_session = session;
  return 1;
}

static void secure(Conn *c) {
  if (!ssl_context) {
    ssl_context = SSL_CTX_new(TLS_client_method());
    if (!ssl_context) die_of_tls("TLS");
    SSL_CTX_set_mode(ssl_context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (resume_sessions) {
      SSL_CTX_set_session_cache_mode(ssl_context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
      SSL_CTX_sess_set_new_cb(ssl_context, keep_session);
    }
  }
  c->ssl = SSL_new(ssl_context);
  SSL_set_fd(c->ssl, c->fd);
  if (resume_sessions && ssl_session) SSL_set_session(c->ssl, ssl_session);
  if (SSL_connect(c->ssl) != 1) die_of_tls("the TLS handshake failed");
}

/* As send() and recv(): -1 with EAGAIN when it would block. */
static ssize_t tls_result(Conn *c, int n) {
  if (n > 0) return n;
  switch (SSL_get_error(c->ssl, n)) {
    case SSL_ERROR_WANT_READ: case SSL_ERROR_WANT_WRITE: errno = EAGAIN; return -1;
    case SSL_ERROR_ZERO_RETURN: return 0;
    default: errno = ECONNRESET; return -1;
  }
}
static ssize_t put_bytes(Conn *c, const uint8_t *p, size_t n) {
  return c->ssl ? tls_result(c, SSL_write(c->ssl, p, n)) : send(c->fd, p, n, MSG_NOSIGNAL);
}
static ssize_t get_bytes(Conn *c, uint8_t *p, size_t n) {
  return c->ssl ? tls_result(c, SSL_read(c->ssl, p, n)) : recv(c->fd, p, n, 0);
}
#else
static void secure(Conn *c) { (void)c; errno = 0; die("-e needs a build with -DWITH_TLS"); }
static ssize_t put_bytes(Conn *c, const uint8_t *p, size_t n) { return send(c->fd, p, n, MSG_NOSIGNAL); }
static ssize_t get_bytes(Conn *c, uint8_t *p, size_t n) { return recv(c->fd, p, n, 0); }
#endif

/* Opens the WebSocket of a connection that still blocks. */
static void upgrade(Conn *c) {
  static const char request[] =
      "GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n";
  char answer[2048];
  size_t n = 0;
  if (put_bytes(c, (const uint8_t *)request, sizeof request - 1) < 0) die("write of the upgrade");
  while (n < 4 || memcmp(answer + n - 4, "\r\n\r\n", 4)) {
    if (n == sizeof answer || get_bytes(c, (uint8_t *)answer + n, 1) != 1) { errno = 0; die("no answer to the upgrade"); }
    n++;
  }
  if (n < 12 || memcmp(answer + 9, "101", 3)) { errno = 0; die("the upgrade to WebSocket was refused"); }
}

/* Bytes of the packet at p. */
static size_t packet_size(const uint8_t *p) {
  size_t k = 1, length = 0;
  int shift = 0;
  do { length |= (size_t)(p[k] & 127) << shift; shift += 7; } while (p[k++] & 128);
  return k + length;
}

/* Puts each packet of `out` into a frame of its own, masked with zeros: a mask costs the broker the same whatever it is. */
static void frame_output(Conn *c) {
  if (c->framed_pos == c->framed_len) c->framed_pos = c->framed_len = 0;
  while (c->out_pos < c->out_len) {
    size_t n = packet_size(c->out + c->out_pos);
    if (c->framed_len + n + 14 > c->framed_cap) {
      c->framed_cap = (c->framed_len + n + 14) * 2;
      c->framed = must(realloc(c->framed, c->framed_cap));
    }
    uint8_t *p = c->framed + c->framed_len;
    *p++ = 0x82;
    if (n < 126) *p++ = 0x80 | n;
    else if (n < 65536) { *p++ = 0x80 | 126; *p++ = n >> 8; *p++ = n; }
    else { *p++ = 0x80 | 127; for (int i = 7; i >= 0; i--) *p++ = (uint64_t)n >> 8 * i; }
    memset(p, 0, 4);
    memcpy(p + 4, c->out + c->out_pos, n);
    c->framed_len = p + 4 + n - c->framed;
    c->out_pos += n;
  }
  c->out_pos = c->out_len = 0;
}

/* Takes n bytes at p out of their frames, in place; returns how many are left. */
static size_t unframe(Conn *c, uint8_t *p, size_t n) {
  size_t to = 0;
  for (size_t at = 0; at < n;) {
    if (c->frame_left) {
      size_t taken = c->frame_left < n - at ? c->frame_left : n - at;
      memmove(p + to, p + at, taken);
      to += taken; at += taken; c->frame_left -= taken;
      continue;
    }
    c->head[c->head_len++] = p[at++];
    if (c->head_len < 2) continue;
    int more = c->head[1] == 126 ? 2 : c->head[1] == 127 ? 8 : 0;
    if (c->head_len < 2 + more) continue;
    if ((c->head[0] & 15) > 2) { errno = 0; die("the broker closed the WebSocket"); }
    c->frame_left = more ? 0 : c->head[1];
    for (int i = 0; i < more; i++) c->frame_left = c->frame_left << 8 | c->head[2 + i];
    c->head_len = 0;
  }
  return to;
}

static void flush(Conn *c) {
  if (use_websocket) frame_output(c);
  uint8_t *bytes = use_websocket ? c->framed : c->out;
  size_t *pos = use_websocket ? &c->framed_pos : &c->out_pos;
  size_t end = use_websocket ? c->framed_len : c->out_len;
  while (*pos < end) {
    ssize_t n = put_bytes(c, bytes + *pos, end - *pos);
    if (n < 0) {
      if (errno == EAGAIN) { want_write(c, 1); return; }
      die("write failed, the broker closed the connection");
    }
    *pos += n;
  }
  c->out_len = c->out_pos = c->framed_len = c->framed_pos = 0;
  want_write(c, 0);
}

/* ---- packets ---- */

static uint8_t *put_varint(uint8_t *p, uint32_t n) {
  do { uint8_t b = n & 127; n >>= 7; *p++ = n ? b | 128 : b; } while (n);
  return p;
}
static uint8_t *put_u16(uint8_t *p, unsigned n) { *p++ = n >> 8; *p++ = n; return p; }
static uint8_t *put_string(uint8_t *p, const char *s, int n) { p = put_u16(p, n); memcpy(p, s, n); return p + n; }
static unsigned get_u16(const uint8_t *p) { return p[0] << 8 | p[1]; }
static const uint8_t *get_varint(const uint8_t *p, uint32_t *value) {
  int shift = 0;
  *value = 0;
  do { *value |= (uint32_t)(*p & 127) << shift; shift += 7; } while (*p++ & 128 && shift < 28);
  return p;
}

static int topic_of(char *topic, int publisher) {
  return sprintf(topic, "bench/load/site%d/device%d", publisher % 7, publisher);
}

static void send_connect(Conn *c) {
  char id[40]; /* 3.1 allows 23 characters */
  int n = sprintf(id, "%c%d-%d", c->is_subscriber ? 's' : 'p', (int)getpid(), c->index);
  const char *name = version == 3 ? "MQIsdp" : "MQTT";
  int name_len = strlen(name);
  size_t user_len = username ? strlen(username) : 0, password_len = strlen(password);
  uint8_t *p = reserve(c, 128 + user_len + password_len);
  static const uint8_t an_hour[] = {5, 0x11, 0, 0, 0x0e, 0x10}; /* Session Expiry Interval of 3600 s */
  int stays = durable && c->is_subscriber;
  int property_bytes = version < 5 ? 0 : stays ? (int)sizeof an_hour : 1;
  *p++ = 0x10;
  p = put_varint(p, 2 + name_len + 4 + property_bytes + 2 + n + (username ? 4 + user_len + password_len : 0));
  p = put_string(p, name, name_len);
  *p++ = version;
  *p++ = (stays ? 0 : 2) | (username ? 0xc0 : 0); /* clean session, user name and password */
  p = put_u16(p, 0);    /* no keep-alive: a busy generator sends no PINGREQ */
  if (version == 5 && stays) { memcpy(p, an_hour, sizeof an_hour); p += sizeof an_hour; }
  else if (version == 5) *p++ = 0;
  p = put_string(p, id, n);
  if (username) p = put_string(put_string(p, username, user_len), password, password_len);
  c->out_len = p - c->out;
  flush(c);
}

static void send_subscribe_packet(Conn *c, const uint8_t *filters, size_t n) {
  uint8_t *p = reserve(c, n + 16);
  *p++ = 0x82;
  p = put_varint(p, 2 + (version == 5) + n);
  p = put_u16(p, ++c->subscribes_pending);
  if (version == 5) *p++ = 0;
  memcpy(p, filters, n);
  c->out_len = p + n - c->out;
}

static void send_subscribe(Conn *c) {
  static uint8_t filters[SUBSCRIBE_BYTES + 256];
  uint8_t *p = filters;
  char topic[64];
  if (fan_out || shared) {
    const char *filter = shared ? "$share/g/bench/load/#" : by_wildcard ? "bench/+/+/#" : "bench/load/#";
    p = put_string(p, filter, strlen(filter));
    *p++ = qos;
  } else {
    for (int i = c->index; i < publishers; i += subscribers) {
      p = put_string(p, topic, topic_of(topic, i));
      *p++ = qos;
      if (p - filters > SUBSCRIBE_BYTES) { send_subscribe_packet(c, filters, p - filters); p = filters; }
    }
  }
  if (p > filters) send_subscribe_packet(c, filters, p - filters);
  flush(c);
}

/* Payload: f64 time of sending, u32 publisher, u32 sequence (from 1), then filling; cut to the size wanted. */
static void put_publish(Conn *c, double sent_at) {
  char topic[64];
  int n = topic_of(topic, c->index);
  uint32_t length = 2 + n + (qos ? 2 : 0) + (version == 5) + payload_bytes;
  uint8_t *p = reserve(c, length + 8);
  *p++ = 0x30 | qos << 1 | retain;
  p = put_varint(p, length);
  p = put_string(p, topic, n);
  if (qos) { if (!++c->packet_id) c->packet_id = 1; p = put_u16(p, c->packet_id); }
  if (version == 5) *p++ = 0;
  c->sent++; sent_all++;
  memset(p, 'x', payload_bytes);
  if (payload_bytes >= 8) memcpy(p, &sent_at, 8);
  if (payload_bytes >= 16) {
    uint32_t mark[2] = {c->index, c->sent};
    memcpy(p + 8, mark, 8);
  }
  c->out_len = p + payload_bytes - c->out;
}

static void put_ack(Conn *c, int type, unsigned packet_id) {
  uint8_t *p = reserve(c, 4);
  *p++ = type << 4 | (type == PUBREL ? 2 : 0);
  *p++ = 2;
  p = put_u16(p, packet_id);
  c->out_len = p - c->out;
}

/* Takes the Receive Maximum out of the properties of a CONNACK [5.0 3.2.2.3]. */
static void read_connack_properties(Conn *c, const uint8_t *p, const uint8_t *end) {
  while (p < end) switch (*p++) {
    case 0x21: c->receive_maximum = get_u16(p); p += 2; break;
    case 0x13: case 0x22: p += 2; break;
    case 0x11: case 0x27: p += 4; break;
    case 0x24: case 0x25: case 0x28: case 0x29: case 0x2a: p += 1; break;
    case 0x26: p += 2 + get_u16(p); p += 2 + get_u16(p); break;
    default: p += 2 + get_u16(p); break; /* the others are strings or binary data */
  }
}

static void receive_connack(Conn *c, const uint8_t *body, uint32_t n) {
  if (body[1]) { fprintf(stderr, "mload: CONNACK code %d\n", body[1]); exit(2); }
  if (version == 5 && n > 2) {
    uint32_t length;
    const uint8_t *p = get_varint(body + 2, &length);
    read_connack_properties(c, p, p + length);
  }
  c->connected = 1;
  connected_count++;
  if (c->is_subscriber && !idle) send_subscribe(c);
}

static void receive_suback(Conn *c, const uint8_t *body, uint32_t n) {
  const uint8_t *p = body + 2;
  uint32_t length = 0;
  if (version == 5) { p = get_varint(p, &length); p += length; }
  for (; p < body + n; p++) if (*p >= 0x80) { fprintf(stderr, "mload: SUBACK code 0x%02x\n", *p); exit(2); }
  c->subscribes_pending--;
}

static void receive_publish(Conn *c, uint8_t head, const uint8_t *body, uint32_t n) {
  int message_qos = head >> 1 & 3;
  const uint8_t *p = body + 2 + get_u16(body), *end = body + n;
  unsigned packet_id = 0;
  uint32_t length;
  if (message_qos) { packet_id = get_u16(p); p += 2; }
  if (version == 5) { p = get_varint(p, &length); p += length; }
  if (end - p >= 8 && ++latency_turn >= latency_stride && latency_count < MAX_LATENCIES) {
    double sent_at;
    memcpy(&sent_at, p, 8);
    latencies[latency_count++] = now() - sent_at;
    latency_turn = 0;
  }
  if (end - p >= 16 && last_sequence) {
    uint32_t mark[2];
    memcpy(mark, p + 8, 8);
    uint32_t *last = mark[0] < (uint32_t)publishers ? &last_sequence[(size_t)c->index * publishers + mark[0]] : NULL;
    if (!last || mark[1] <= *last) disordered++; else *last = mark[1];
  }
  delivered++;
  if (message_qos == 1) put_ack(c, PUBACK, packet_id);
  if (message_qos == 2) put_ack(c, PUBREC, packet_id);
}

static void receive(Conn *c, uint8_t head, const uint8_t *body, uint32_t n) {
  int type = head >> 4;
  if ((type == PUBACK || type == PUBREC) && n > 2 && body[2] >= 0x80) {
    fprintf(stderr, "mload: a PUBLISH was refused with reason code 0x%02x\n", body[2]);
    exit(2);
  }
  switch (type) {
    case CONNACK: receive_connack(c, body, n); break;
    case SUBACK: receive_suback(c, body, n); break;
    case PUBLISH: receive_publish(c, head, body, n); break;
    case PUBREC: put_ack(c, PUBREL, get_u16(body)); break;
    case PUBREL: put_ack(c, PUBCOMP, get_u16(body)); break;
    case PUBACK: case PUBCOMP: c->acked++; acked_all++; break;
    case DISCONNECT: fprintf(stderr, "mload: the broker sent DISCONNECT 0x%02x\n", n ? body[0] : 0); exit(2);
  }
}

/* Handles all whole packets of the input, and returns how many bytes they had. */
static size_t receive_all(Conn *c) {
  size_t done = 0;
  while (c->in_len - done >= 2) {
    uint32_t length = 0;
    size_t k = done + 1;
    int shift = 0, whole = 0;
    while (k < c->in_len && !whole) {
      if (shift > 21) { errno = 0; die("the broker sent a malformed Remaining Length"); }
      length |= (uint32_t)(c->in[k] & 127) << shift;
      shift += 7;
      whole = !(c->in[k++] & 128);
    }
    if (!whole || c->in_len - k < length) break;
    receive(c, c->in[done], c->in + k, length);
    done = k + length;
  }
  return done;
}

static void readable(Conn *c) {
  size_t room_wanted = idle ? 512 : 65536; /* thousands of idle connections need little */
  for (;;) {
    if (c->in_cap - c->in_len < room_wanted) {
      c->in_cap = c->in_len * 2 + room_wanted;
      c->in = must(realloc(c->in, c->in_cap));
    }
    size_t room = c->in_cap - c->in_len;
    ssize_t r = get_bytes(c, c->in + c->in_len, room);
    if (r == 0) { errno = 0; die("the broker closed the connection"); }
    if (r < 0) { if (errno == EAGAIN) break; die("read failed"); }
    c->in_len += use_websocket ? unframe(c, c->in + c->in_len, r) : (size_t)r;
    size_t done = receive_all(c);
    memmove(c->in, c->in + done, c->in_len - done);
    c->in_len -= done;
    if ((size_t)r < room && !use_tls) break; /* a record of TLS is no more than 16 KiB */
  }
  if (c->out_len > c->out_pos && !c->want_write) flush(c);
}

/* ---- connections and waiting ---- */

static void poll_once(int timeout_ms) {
  static struct epoll_event events[1024];
  int n = epoll_wait(epoll_fd, events, 1024, timeout_ms);
  for (int i = 0; i < n; i++) {
    Conn *c = events[i].data.ptr;
    if (!c) { uint64_t expirations; if (read(timer_fd, &expirations, 8) < 0) continue; continue; }
    if (events[i].events & EPOLLOUT) flush(c);
    if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) readable(c);
  }
}

/* A connection that is open up to MQTT, and still blocks. */
static Conn *open_connection(int is_subscriber, int index) {
  Conn *c = must(calloc(1, sizeof *c));
  int one = 1;
  struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET, .sin_port = htons(port)};
  c->is_subscriber = is_subscriber; c->index = index; c->receive_maximum = 65535;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (int attempt = 0;; attempt++) {
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0) die("socket");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (conn_count >= CONNECTIONS_PER_ADDRESS) { /* the ports of 127.0.0.1 run out: come from 127.0.0.2, ... */
      from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + conn_count / CONNECTIONS_PER_ADDRESS);
      setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
      if (bind(c->fd, (struct sockaddr *)&from, sizeof from)) die("bind");
    }
    if (!connect(c->fd, (struct sockaddr *)&to, sizeof to)) break;
    if (attempt >= 50) die("connect");
    close(c->fd);
    usleep(20000);
  }
  if (use_tls) secure(c);
  if (use_websocket) upgrade(c);
  return c;
}

static void dial(int is_subscriber, int index) {
  Conn *c = open_connection(is_subscriber, index);
  fcntl(c->fd, F_SETFL, O_NONBLOCK);
  struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &e);
  conns[conn_count++] = c;
  send_connect(c);
  double start = now();
  while (conn_count - connected_count >= MAX_CONNECTS_PENDING && now() - start < limit_s) poll_once(10);
}

static void wait_until_all_up(double seconds) {
  double start = now();
  for (;;) {
    int up = 0;
    for (int i = 0; i < conn_count; i++) up += conns[i]->connected && !conns[i]->subscribes_pending;
    if (up == conn_count) return;
    if (now() - start > seconds) { errno = 0; die("not all connections came up"); }
    poll_once(50);
  }
}

/* ---- figures of the broker's process and of those that it has started ---- */

/* Reads /proc/PID/NAME, or of its main thread; returns the length, 0 when it is not there. */
static size_t read_proc(int pid, const char *name, char *text, size_t size) {
  char path[96];
  snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
  FILE *file = fopen(path, "r");
  size_t n = file ? fread(text, 1, size - 1, file) : 0;
  if (file) fclose(file);
  text[n] = 0;
  return n;
}

static double own_cpu_seconds(int pid) {
  char text[1024];
  if (!read_proc(pid, "stat", text, sizeof text)) return 0;
  char *p = strrchr(text, ')'); /* the name before it may hold anything */
  long user, system, ended_user, ended_system; /* the last two of children that have ended */
  if (!p || sscanf(p + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld %ld %ld", &user, &system, &ended_user,
                   &ended_system) != 4) return 0;
  return (user + system + ended_user + ended_system) / (double)sysconf(_SC_CLK_TCK);
}

static double own_resident_kib(int pid) {
  char text[4096];
  long kib = 0;
  if (!read_proc(pid, "status", text, sizeof text)) return 0;
  char *p = strstr(text, "VmRSS:");
  if (p) sscanf(p, "VmRSS: %ld", &kib);
  return kib;
}

static double family_sum(int pid, double (*own)(int)) {
  char name[32], text[1024];
  double sum = own(pid);
  sprintf(name, "task/%d/children", pid);
  read_proc(pid, name, text, sizeof text);
  for (char *p = text, *end; ; p = end) {
    int child = (int)strtol(p, &end, 10);
    if (end == p) break;
    sum += family_sum(child, own);
  }
  return sum;
}

static double cpu_seconds(int pid) { return family_sum(pid, own_cpu_seconds); }
static long resident_kib(int pid) { return (long)family_sum(pid, own_resident_kib); }

/* Waits until the broker's memory moved less than 0.5 % for two seconds, at most `settle_s`; returns it. */
static long settled_kib(int pid) {
  if (!pid) return 0;
  double start = now(), since = start;
  long reference = resident_kib(pid), kib = reference;
  while (now() - start < settle_s && now() - since < 2) {
    for (double until = now() + 0.1; now() < until;) poll_once(100);
    kib = resident_kib(pid);
    if (labs(kib - reference) * 200 > reference) { reference = kib; since = now(); }
  }
  return kib;
}

/* ---- runs ---- */

static int run_idle(void) {
  long kib_before = settled_kib(broker_pid); /* a fresh process may still be growing */
  double start = now(), cpu_before = cpu_seconds(broker_pid);
  for (int i = 0; i < idle; i++) dial(0, i);
  wait_until_all_up(limit_s);
  double seconds = now() - start, cpu = cpu_seconds(broker_pid) - cpu_before;
  double kib = (settled_kib(broker_pid) - kib_before) / (double)idle;
  if (json)
    printf("{\"generator\":\"mload\",\"mode\":\"idle\",\"timeout\":false,\"disordered\":0,\"metrics\":{"
           "\"connections\":%d,\"connectsPerSecond\":%.0f,\"kibPerConnection\":%.3f,\"cpuUsPerConnect\":%.2f}}\n",
           idle, idle / seconds, kib, cpu * 1e6 / idle);
  else
    printf("%-12s idle=%d connect=%.0f/s rss_per_conn=%.2fKiB cpu_us_per_connect=%.1f\n", label, idle, idle / seconds,
           kib, cpu * 1e6 / idle);
  return 0;
}

/* Opens a connection, waits for its CONNACK and closes it, over and over; returns how often. */
static long connect_over_and_over(int process, double until) {
  long count = 0;
  uint8_t answer[256];
  while (now() < until) {
    Conn *c = open_connection(0, process);
    send_connect(c);
    ssize_t n = get_bytes(c, answer, sizeof answer);
    if (n > 0 && use_websocket) n = unframe(c, answer, n);
    if (n < 4 || answer[0] != 0x20 || answer[3]) { errno = 0; die("no CONNACK"); }
#ifdef WITH_TLS
    if (c->ssl) SSL_free(c->ssl);
#endif
    close(c->fd);
    free(c->out); free(c->framed); free(c);
    count++;
  }
  return count;
}

static int run_connects(void) {
  double seconds = duration_s > 0 ? duration_s : 2;
  long *counts = mmap(NULL, connects * sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (counts == MAP_FAILED) die("mmap");
  double start = now(), cpu_before = cpu_seconds(broker_pid);
  for (int i = 0; i < connects; i++) {
    pid_t pid = fork();
    if (pid < 0) die("fork");
    if (pid == 0) { counts[i] = connect_over_and_over(i, start + seconds); _exit(0); }
  }
  long count = 0;
  for (int i = 0, status; i < connects; i++) if (wait(&status) < 0 || status) exit(2);
  for (int i = 0; i < connects; i++) count += counts[i];
  double elapsed = now() - start, cpu = cpu_seconds(broker_pid) - cpu_before;
  if (json)
    printf("{\"generator\":\"mload\",\"mode\":\"connects\",\"timeout\":false,\"disordered\":0,\"metrics\":{"
           "\"connections\":%ld,\"connectsPerSecond\":%.1f,\"cpuUsPerConnect\":%.2f}}\n",
           count, count / elapsed, count ? cpu * 1e6 / count : 0);
  else
    printf("%-12s connects=%ld %.0f/s cpu_us_per_connect=%.1f\n", label, count, count / elapsed, cpu * 1e6 / count);
  return count == 0;
}

static long deliveries_per_message(void) { return fan_out ? subscribers : subscribers ? 1 : 0; }

static int may_send(const Conn *c) {
  long each = deliveries_per_message();
  long under_way = each ? sent_all - delivered / each : qos ? sent_all - acked_all : 0;
  if (under_way >= window) return 0;
  if (qos == 0) return 1;
  int share = window / publishers > 0 ? window / publishers : 1;
  return c->sent - c->acked < (share < c->receive_maximum ? share : c->receive_maximum);
}

/* As fast as the window allows; publishers take turns in bursts, joined to one write each. Returns how many were sent. */
static long send_freely(void) {
  static int turn;
  long sent_before = sent_all;
  for (int k = 0; k < publishers && sent_all < total; k++) {
    Conn *c = conns[subscribers + (turn + k) % publishers];
    int burst = 0;
    if (c->want_write && c->out_len - c->out_pos + c->framed_len - c->framed_pos > (1 << 20)) continue; /* the broker reads slowly: do not pile up */
    while (burst < MAX_BURST && sent_all < total && may_send(c)) { put_publish(c, now()); burst++; }
    if (burst && !c->want_write) flush(c);
  }
  turn++;
  return sent_all - sent_before;
}

/* Message k is due at start + k / rate and carries that time: a stall counts against all messages that it delays,
 * not only against the one that met it. */
static void send_by_rate(double start) {
  double t = now();
  while (sent_all < total && start + sent_all / rate <= t) {
    Conn *c = conns[subscribers + sent_all % publishers];
    if (!may_send(c)) break;
    put_publish(c, start + sent_all / rate);
  }
  for (int k = 0; k < publishers; k++) {
    Conn *c = conns[subscribers + k];
    if (c->out_len > c->out_pos && !c->want_write) flush(c);
  }
  double due = start + sent_all / rate;
  if (due <= t) return; /* the window is full: a delivery will wake us */
  struct itimerspec when = {.it_value = {.tv_sec = (time_t)due, .tv_nsec = (long)((due - (time_t)due) * 1e9) | 1}};
  timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static int is_done(void) {
  return sent_all >= total && delivered >= total * deliveries_per_message() && (!qos || acked_all >= total);
}

static void report(double seconds, double cpu, int timeout) {
  qsort(latencies, latency_count, sizeof *latencies, by_value);
  double p50 = latency_count ? latencies[latency_count / 2] * 1e3 : 0;
  double p99 = latency_count ? latencies[latency_count * 99 / 100] * 1e3 : 0;
  double most = latency_count ? latencies[latency_count - 1] * 1e3 : 0;
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  double own_cpu = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec +
                   (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  double cpu_us = sent_all + delivered ? cpu * 1e6 / (sent_all + delivered) : 0;
  const char *mode = fan_out ? (by_wildcard ? "fanout-wild" : "fanout") : shared ? "shared" : "pairs";
  long kib = resident_kib(broker_pid);
  if (json)
    printf("{\"generator\":\"mload\",\"mode\":\"%s\",\"timeout\":%s,\"disordered\":%ld,\"metrics\":{\"sent\":%ld,"
           "\"acknowledged\":%ld,\"delivered\":%ld,\"expected\":%ld,\"seconds\":%.4f,\"inPerSecond\":%.1f,"
           "\"outPerSecond\":%.1f,\"p50Ms\":%.4f,\"p99Ms\":%.4f,\"maxMs\":%.4f,\"brokerCpuUsPerMessage\":%.4f,"
           "\"generatorCpuSeconds\":%.3f,\"brokerRssKib\":%ld}}\n",
           mode, timeout ? "true" : "false", disordered, sent_all, acked_all, delivered,
           sent_all * deliveries_per_message(), seconds, sent_all / seconds, delivered / seconds, p50, p99, most, cpu_us,
           own_cpu, kib);
  else if (timeout)
    printf("%-12s TIMEOUT after %.0fs: sent %ld acked %ld delivered %ld of %ld\n", label, limit_s, sent_all, acked_all,
           delivered, total == LONG_MAX ? sent_all * deliveries_per_message() : total * deliveries_per_message());
  else
    printf("%-12s P=%d S=%d q%d v%d %dB %s n=%ld: %.0f in/s %.0f out/s  p50=%.2fms p99=%.2fms  broker_cpu=%.2fus/msg"
           "  gen_cpu=%.2fs of %.2fs rss=%ldMB%s\n",
           label, publishers, subscribers, qos, version, payload_bytes, mode, total, total / seconds,
           delivered / seconds, p50, p99, cpu_us, own_cpu, seconds, kib / 1024, disordered ? "  DISORDER" : "");
  if (disordered) fprintf(stderr, "mload: %ld messages came twice, out of order or from elsewhere\n", disordered);
}

static int run_messages(void) {
  for (int i = 0; i < subscribers; i++) dial(1, i);
  for (int i = 0; i < publishers; i++) dial(0, i);
  wait_until_all_up(20);
  long expected = duration_s > 0 ? 0 : total * deliveries_per_message();
  latency_stride = expected / MAX_LATENCIES + 1;
  if ((double)publishers * subscribers <= 1 << 24)
    last_sequence = must(calloc((size_t)publishers * subscribers + 1, sizeof *last_sequence));
  if (duration_s > 0) total = LONG_MAX;
  if (rate > 0) {
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = NULL};
    timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    if (timer_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, timer_fd, &e)) die("timer");
  }
  double start = now(), cpu_before = cpu_seconds(broker_pid);
  int timeout = 0;
  while (!timeout && !is_done()) {
    /* Only a full window may wait: a generator that sleeps after each burst would time its own waking up. */
    if (rate > 0) { send_by_rate(start); poll_once(10); }
    else poll_once(send_freely() ? 0 : 1);
    double elapsed = now() - start;
    if (duration_s > 0 && total == LONG_MAX && elapsed >= duration_s) total = sent_all;
    timeout = elapsed > limit_s && !is_done();
  }
  report(now() - start, cpu_seconds(broker_pid) - cpu_before, timeout);
  return timeout || disordered;
}

static void raise_descriptor_limit(void) {
  struct rlimit limit, more = {200000, 200000};
  if (!setrlimit(RLIMIT_NOFILE, &more) || getrlimit(RLIMIT_NOFILE, &limit)) return; /* only root may exceed its limit */
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

static void refuse(const char *why) { fprintf(stderr, "mload: %s\n%s", why, HELP); exit(2); }

static void read_options(int argc, char **argv) {
  int option;
  while ((option = getopt(argc, argv, "p:P:S:q:l:w:n:d:R:v:i:fWI:s:N:t:rgDebC:Kju:h")) != -1) switch (option) {
    case 'p': port = atoi(optarg); break;
    case 'P': publishers = atoi(optarg); break;
    case 'S': subscribers = atoi(optarg); break;
    case 'q': qos = atoi(optarg); break;
    case 'l': payload_bytes = atoi(optarg); break;
    case 'w': window = atoi(optarg); break;
    case 'n': total = atol(optarg); break;
    case 'd': duration_s = atof(optarg); break;
    case 'R': rate = atof(optarg); break;
    case 'v': version = atoi(optarg); break;
    case 'i': broker_pid = atoi(optarg); break;
    case 'f': fan_out = 1; break;
    case 'W': by_wildcard = 1; break;
    case 'I': idle = atoi(optarg); break;
    case 's': settle_s = atof(optarg); break;
    case 'N': label = optarg; break;
    case 't': limit_s = atof(optarg); break;
    case 'r': retain = 1; break;
    case 'g': shared = 1; break;
    case 'D': durable = 1; break;
    case 'e': use_tls = 1; break;
    case 'b': use_websocket = 1; break;
    case 'u': {
      char *colon = strchr(optarg, ':');
      username = optarg;
      if (colon) { *colon = 0; password = colon + 1; }
      break;
    }
    case 'C': connects = atoi(optarg); break;
    case 'K': resume_sessions = 1; break;
    case 'j': json = 1; break;
    case 'h': fputs(HELP, stdout); exit(0);
    default: fputs(HELP, stderr); exit(2);
  }
  if (publishers < 1 || subscribers < 0 || idle < 0 || window < 1 || total < 1) refuse("a count is too small");
  if (payload_bytes < 0 || payload_bytes > 268000000) refuse("the payload is too large");
  if (qos < 0 || qos > 2) refuse("QoS is 0, 1 or 2");
  if (qos && window / publishers > 65535) refuse("a publisher has at most 65535 packet identifiers: lower -w");
  if (version < 3 || version > 5) refuse("-v is 3, 4 or 5");
  if (!idle && !fan_out && !shared && subscribers > publishers) refuse("more subscribers than publishers need -f or -g");
}

int main(int argc, char **argv) {
  read_options(argc, argv);
  raise_descriptor_limit();
  epoll_fd = epoll_create1(0);
  conns = must(calloc(publishers + subscribers + idle + 1, sizeof *conns));
  latencies = must(malloc(sizeof *latencies * MAX_LATENCIES));
  if (connects) return run_connects();
  return idle ? run_idle() : run_messages();
}
