/* One publisher and one subscriber of libmosquitto in one process, as its manual shows it: a network thread each by
 * mosquitto_loop_start, and the main thread publishes as long as the window has room. Prints what bench/clients/pair.ts
 * calls a PairResult: ./libmosquitto-pair PORT QOS WINDOW SECONDS WARM-UP PAYLOAD-BYTES
 * cc -O2 -o libmosquitto-pair libmosquitto-pair.c -lmosquitto -lpthread */
#include <mosquitto.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define TOPIC "bench/pair"
#define KEEP_ALIVE_SECONDS 60
#define LAST_MESSAGES_SECONDS 10
#define MOST_PAYLOAD_BYTES 65536

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static long got;
static int connected, subscribed;

static void fail(const char *what, int rc) {
  fprintf(stderr, "%s: %s\n", what, mosquitto_strerror(rc));
  exit(2);
}

static void count(int *counter) {
  pthread_mutex_lock(&lock);
  ++*counter;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
}

static void on_connect(struct mosquitto *mosq, void *obj, int rc) {
  (void)mosq, (void)obj;
  if (rc != 0) fail("refused", rc);
  count(&connected);
}

static void on_subscribe(struct mosquitto *mosq, void *obj, int mid, int qos_count, const int *granted_qos) {
  (void)mosq, (void)obj, (void)mid, (void)qos_count, (void)granted_qos;
  count(&subscribed);
}

static void on_message(struct mosquitto *mosq, void *obj, const struct mosquitto_message *message) {
  (void)mosq, (void)obj, (void)message;
  pthread_mutex_lock(&lock);
  got++;
  pthread_cond_signal(&changed);
  pthread_mutex_unlock(&lock);
}

static double seconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec + now.tv_nsec / 1e9;
}

static double cpu_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void wait_for(const int *counter, int value) {
  pthread_mutex_lock(&lock);
  while (*counter < value) pthread_cond_wait(&changed, &lock);
  pthread_mutex_unlock(&lock);
}

static struct mosquitto *client(int port, int window) {
  struct mosquitto *mosq = mosquitto_new(NULL, true, NULL);
  int rc;
  if (mosq == NULL) fail("mosquitto_new", MOSQ_ERR_NOMEM);
  mosquitto_connect_callback_set(mosq, on_connect);
  mosquitto_subscribe_callback_set(mosq, on_subscribe);
  mosquitto_message_callback_set(mosq, on_message);
  mosquitto_max_inflight_messages_set(mosq, (unsigned int)window);
  mosquitto_int_option(mosq, MOSQ_OPT_TCP_NODELAY, 1);
  if ((rc = mosquitto_connect(mosq, "127.0.0.1", port, KEEP_ALIVE_SECONDS)) != 0) fail("mosquitto_connect", rc);
  if ((rc = mosquitto_loop_start(mosq)) != 0) fail("mosquitto_loop_start", rc);
  return mosq;
}

/* Waits until fewer than `most` messages are under way; false when that takes longer than until `limit`. */
static bool wait_for_room(long sent, long most, const struct timespec *limit) {
  bool in_time = true;
  pthread_mutex_lock(&lock);
  while (sent - got >= most && in_time) in_time = pthread_cond_timedwait(&changed, &lock, limit) == 0;
  pthread_mutex_unlock(&lock);
  return in_time;
}

static void run(struct mosquitto *publisher, int qos, long window, double seconds, int payload_bytes, bool counts) {
  static char payload[MOST_PAYLOAD_BYTES];
  struct timespec limit;
  long sent = 0;
  bool in_time = true;
  int rc;
  memset(payload, 'a', sizeof payload);
  clock_gettime(CLOCK_REALTIME, &limit);
  limit.tv_sec += (time_t)seconds + 1 + LAST_MESSAGES_SECONDS;
  pthread_mutex_lock(&lock);
  got = 0;
  pthread_mutex_unlock(&lock);
  double started = seconds_now(), cpu = cpu_seconds();
  while (in_time && seconds_now() - started < seconds) {
    if (!(in_time = wait_for_room(sent, window, &limit))) break;
    if ((rc = mosquitto_publish(publisher, NULL, TOPIC, payload_bytes, payload, qos, false)) != 0)
      fail("mosquitto_publish", rc);
    sent++;
  }
  in_time = in_time && wait_for_room(sent, 1, &limit);
  if (counts)
    printf("{\"messages\":%ld,\"seconds\":%.6f,\"cpuSeconds\":%.6f,\"timeout\":%s}\n", got, seconds_now() - started,
           cpu_seconds() - cpu, in_time ? "false" : "true");
}

int main(int argc, char *argv[]) {
  if (argc == 2 && strcmp(argv[1], "--version") == 0) {
    int major, minor, revision;
    mosquitto_lib_version(&major, &minor, &revision);
    printf("%d.%d.%d\n", major, minor, revision);
    return 0;
  }
  if (argc != 7) {
    fprintf(stderr, "usage: %s PORT QOS WINDOW SECONDS WARM-UP PAYLOAD-BYTES\n", argv[0]);
    return 2;
  }
  int port = atoi(argv[1]), qos = atoi(argv[2]), window = atoi(argv[3]), payload_bytes = atoi(argv[6]), rc;
  if (payload_bytes > MOST_PAYLOAD_BYTES) return 2;
  mosquitto_lib_init();
  struct mosquitto *subscriber = client(port, window), *publisher = client(port, window);
  wait_for(&connected, 2);
  if ((rc = mosquitto_subscribe(subscriber, NULL, TOPIC, qos)) != 0) fail("mosquitto_subscribe", rc);
  wait_for(&subscribed, 1);
  run(publisher, qos, window, atof(argv[5]), payload_bytes, false);
  run(publisher, qos, window, atof(argv[4]), payload_bytes, true);
  mosquitto_disconnect(publisher);
  mosquitto_disconnect(subscriber);
  mosquitto_loop_stop(publisher, false);
  mosquitto_loop_stop(subscriber, false);
  mosquitto_destroy(publisher);
  mosquitto_destroy(subscriber);
  mosquitto_lib_cleanup();
  return 0;
}
