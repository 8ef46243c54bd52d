/*
 * mail_transport - the ways to send a composed message; mail_transport in the configuration selects one.
 */
#ifndef OKUL_MAIL_TRANSPORT_H
#define OKUL_MAIL_TRANSPORT_H

#include "base.h"
#include "conf.h"

enum send_result {
	SEND_DONE,		/* the next server is responsible for it now */
	SEND_REFUSED,		/* for good: the same mail would be refused again */
	SEND_LATER,		/* this mail not now; others may be sent */
	SEND_DOWN,		/* none can be sent now: no server, no disk, no login */
	SEND_STOPPED,		/* `stop` came before the message was handed over */
};

struct letter {
	const char *id, *from, *to;
	const char *bytes;	/* as mail_compose() made them */
	size_t length;
	int stop;		/* a descriptor: readable once the process is to end */
};

/* The conversation, and a QUIT that hangs after it. */
#define TRANSPORT_MAX(conf) (2 * (conf)->smtp_timeout * 1000)

struct transport {
	const char *name;
	/*
	 * Sends one. Takes no longer than TRANSPORT_MAX milliseconds (a disk that hangs excepted). What failed is in
	 * `why`, without control characters and never with the message's text.
	 */
	enum send_result (*send)(const struct conf *conf, const struct letter *letter, char *why, size_t room);
	/* Nothing more to send for now: closes connections. May be NULL. */
	void (*rest)(void);
};

extern const struct transport transport_file, transport_sendmail, transport_smtp;

#endif
