/* mail_transport - the ways to send a composed message; the setting mail_transport selects one. */
#ifndef OKUL_MAIL_TRANSPORT_H
#define OKUL_MAIL_TRANSPORT_H

#include "base.h"
#include "conf.h"

enum send_result {
	SEND_DONE,		/* the next server is responsible for it */
	SEND_REFUSED,		/* permanently: the same mail would be refused again */
	SEND_LATER,		/* this mail cannot be sent now; others may */
	SEND_DOWN,		/* no mail can be sent now: no server, no disk, no login */
	SEND_STOPPED,		/* `stop` became readable before the message was sent */
};

struct letter {
	const char *id, *from, *to;
	const char *bytes;	/* as mail_compose() made them */
	size_t length;
	int stop;		/* a descriptor: readable once the process shall end */
};

/* Milliseconds that a send may take: the conversation, and a QUIT that hangs after it. */
#define TRANSPORT_MAX(conf) (2 * (conf)->smtp_timeout * 1000)

struct transport {
	const char *name;
	/*
	 * Sends a letter within TRANSPORT_MAX, unless the disk hangs. `why` gets the reason of a failure, without
	 * control characters and without text of the message.
	 */
	enum send_result (*send)(const struct conf *conf, const struct letter *letter, char *why, size_t room);
	/* Closes connections when nothing more is due. May be NULL. */
	void (*rest)(void);
};

extern const struct transport transport_file, transport_sendmail, transport_smtp;

#endif
