/*
 * auth - what the two surfaces of the group share.
 */
#ifndef OKUL_AUTH_H
#define OKUL_AUTH_H

#include "app.h"
#include "otp.h"
#include "token.h"

extern const struct section auth_unified, auth_v1;
extern const struct shape auth_refresh_token, auth_tokens, auth_logout_response, auth_session_response;

/* Fields of the bodies of both surfaces, where they are the same. */
enum { AUTH_EMAIL, AUTH_LANGUAGE, AUTH_CODE = AUTH_LANGUAGE };
enum { AUTH_REFRESH };

/* What the functions for route->check below leave in rq->prepared; where fields of the request are wrong, nothing. */
struct login {
	struct otp_caller caller;	/* of a code */
	char code[10];			/* a new one */
	struct outbox_new mail;		/* with that */
	struct refresh refresh;		/* of a refresh token */
	bool is_ours;			/* we issued that, for the session */
	const char *access_token;	/* issued before anything is stored, since that may fail: NULL when memory is short */
	int64_t pk;			/* of the session */
	int64_t user;
	const char *email;		/* of a refresh token */
	char user_id[ID_TEXT], session[ID_TEXT];
	unsigned char seed[REFRESH_SEED];
	uint32_t counter;
	int64_t working;		/* so many of the last tokens that were replaced are still accepted */
	int64_t expires;		/* of the session */
	bool is_new;			/* the user was created by this login */
};

/* For route->check: a new code of so many digits and its mail; a login by code; a refresh token. */
void auth_prepare_code(struct request *rq, unsigned digits);
void auth_check_login(struct request *rq, struct faults *faults);
void auth_check_refresh(struct request *rq, struct faults *faults);

/* Queues the mail with the code; `reply` writes the response. */
struct response auth_request_code(struct request *rq, struct response (*reply)(struct request *rq, const char *code));

/* Writes the response to a login or refresh. */
typedef struct response auth_reply(struct request *rq, const struct login *login);

/* Uses up the code of the body and opens a session. A new address becomes a user who came by `source` and `campaign`. */
struct response auth_login(struct request *rq, const char *source, const char *campaign, auth_reply *reply);

/* Replaces the refresh token of the body. */
struct response auth_refresh(struct request *rq, auth_reply *reply);

/* REPLACED is accepted, since its owner may still have it: in another tab, or because the response got lost. */
enum token_state { NOT_OURS, CURRENT, REPLACED, SPENT };

/* Reads the live session of the refresh token again, and returns what the token is to it. */
must_use enum token_state auth_find_token(struct request *rq);

/* The four token fields. */
void auth_put_tokens(struct request *rq, const struct login *login);

/* The caller's live sessions, newest first. */
struct response auth_get_sessions(struct request *rq);

#endif
