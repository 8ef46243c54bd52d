/*
 * mail_transport - the ways a composed message can leave; the configuration's mail_transport picks one.
 */
#ifndef OKUL_MAIL_TRANSPORT_H
#define OKUL_MAIL_TRANSPORT_H

#include "base.h"
#include "conf.h"

enum send_result {
	SEND_DONE,		/* somebody else answers for it now */
	SEND_REFUSED,		/* for good: the same mail would be refused again */
	SEND_LATER,		/* this mail not now; another one may go */
	SEND_DOWN,		/* none would go now: no server, no disk, no login */
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
	 * Sends one. Takes no longer than TRANSPORT_MAX milliseconds (a disk that hangs excepted). What went wrong is said in
	 * `why`, without control characters; never what the message says.
	 */
	enum send_result (*send)(const struct conf *conf, const struct letter *letter, char *why, size_t room);
	/* Nothing more to send for now: lets go of connections. May be NULL. */
	void (*rest)(void);
};

extern const struct transport transport_file, transport_sendmail, transport_smtp;

#endif
