/* Preloaded into a process and its children: appends every name that is looked up, and every address beyond this machine that is
   connected or sent to, to the file that NETWORK_RECORD names, and lets none of it go out. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void record(const char *kind, const char *what) {
  const char *path = getenv("NETWORK_RECORD");
  if (path == NULL) return;
  char line[512];
  const int length = snprintf(line, sizeof line, "%s %s\n", kind, what == NULL ? "(none)" : what);
  const int file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (file < 0) abort();
  if (write(file, line, (size_t)length) != length) abort();
  close(file);
}

/* Whether an address is beyond this machine; it is recorded then. */
static int is_beyond(const char *kind, const struct sockaddr *address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address != NULL && address->sa_family == AF_INET) {
    const struct in_addr *host = &((const struct sockaddr_in *)address)->sin_addr;
    if ((ntohl(host->s_addr) >> 24) == 127) return 0;
    inet_ntop(AF_INET, host, text, sizeof text);
  } else if (address != NULL && address->sa_family == AF_INET6) {
    const struct in6_addr *host = &((const struct sockaddr_in6 *)address)->sin6_addr;
    if (IN6_IS_ADDR_LOOPBACK(host)) return 0;
    inet_ntop(AF_INET6, host, text, sizeof text);
  } else {
    return 0;
  }
  record(kind, text);
  return 1;
}

/* An address in digits is looked up nowhere. */
static int is_digits(const char *node) {
  struct in6_addr address;
  return inet_pton(AF_INET, node, &address) == 1 || inet_pton(AF_INET6, node, &address) == 1;
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result) {
  typedef int (*Real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
  if (node == NULL || is_digits(node)) return ((Real)dlsym(RTLD_NEXT, "getaddrinfo"))(node, service, hints, result);
  record("lookup", node);
  return EAI_FAIL;
}

int connect(int socket, const struct sockaddr *address, socklen_t length) {
  typedef int (*Real)(int, const struct sockaddr *, socklen_t);
  if (!is_beyond("connect", address)) return ((Real)dlsym(RTLD_NEXT, "connect"))(socket, address, length);
  errno = ENETUNREACH;
  return -1;
}

ssize_t sendto(int socket, const void *data, size_t size, int flags, const struct sockaddr *address, socklen_t length) {
  typedef ssize_t (*Real)(int, const void *, size_t, int, const struct sockaddr *, socklen_t);
  if (!is_beyond("send", address)) {
    return ((Real)dlsym(RTLD_NEXT, "sendto"))(socket, data, size, flags, address, length);
  }
  errno = ENETUNREACH;
  return -1;
}
