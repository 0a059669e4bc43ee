#include <config.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "session.h"

struct session *
session_new(void)
{
	return mem_alloc(sizeof(struct session));
}

void
session_free(struct session *s)
{
	if (s == NULL)
		return;
	message_end(&s->message);
	arena_free(&s->greeting);
	free(s);
}

/* By way of the text, where a mapped address is known for what it is. */
void
session_connect(struct session *s, const struct sockaddr *address)
{
	char text[INET6_ADDRSTRLEN];
	const void *bytes = NULL;

	s->client = (struct ip){ 0 };
	if (address == NULL)
		return;
	if (address->sa_family == AF_INET)
		bytes = &((const struct sockaddr_in *)(const void *)address)
				 ->sin_addr;
	else if (address->sa_family == AF_INET6)
		bytes = &((const struct sockaddr_in6 *)(const void *)address)
				 ->sin6_addr;
	if (bytes != NULL &&
	    inet_ntop(address->sa_family, bytes, text, sizeof(text)) != NULL)
		facts_ip(text, &s->client);
}

void
session_greet(struct session *s, const char *helo)
{
	arena_free(&s->greeting);
	s->helo = helo == NULL
		? NULL
		: arena_strndup(&s->greeting, helo, SESSION_HELO_MAX);
}
