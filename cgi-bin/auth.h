/* auth - what the two surfaces of the group share. */
#ifndef OKUL_AUTH_H
#define OKUL_AUTH_H

#include "app.h"
#include "otp.h"
#include "token.h"

extern const struct section auth_unified, auth_setup, auth_v1;
extern const struct shape auth_login_response, auth_refresh_token, auth_tokens, auth_logout_response, auth_session_response;

/* Fields of the bodies of both surfaces, where they are the same. */
enum { AUTH_EMAIL, AUTH_LANGUAGE, AUTH_CODE = AUTH_LANGUAGE };
enum { AUTH_REFRESH };

/* What route->check leaves in rq->prepared, by the functions below; zeros where fields of the request are wrong. */
struct login {
	struct otp_caller caller;	/* of a request for a code, or of a login by one */
	char code[10];			/* a new code, and its mail */
	struct outbox_new mail;
	struct refresh refresh;		/* the refresh token of the body */
	bool is_ours;			/* the session has, or had, that token */
	const char *access_token;	/* issued before anything is stored, since that may fail: NULL when memory is short */
	int64_t user;			/* pk */
	char user_id[ID_TEXT];
	const char *email;		/* only with a refresh token */
	bool is_new;			/* the user was created by this login */
	int64_t pk;			/* of the session, as all that follows */
	char session[ID_TEXT];
	unsigned char seed[REFRESH_SEED];
	uint32_t counter;
	int64_t working;		/* so many of the last tokens that were replaced are still accepted */
	int64_t expires;
};

/* For route->check: a new code of so many digits and its mail; a login by code; a refresh token. */
void auth_prepare_code(struct request *rq, unsigned digits);
void auth_check_login(struct request *rq, struct faults *faults);
void auth_check_refresh(struct request *rq, struct faults *faults);

/* Queues the mail with the code; `respond` writes the response. */
struct response auth_request_code(struct request *rq, struct response (*respond)(struct request *rq, const char *code));

/* Writes the response to a login or refresh. */
typedef struct response auth_respond(struct request *rq, const struct login *login);

/* Uses up the code of the body and opens a session. A new address becomes a user who came by `source` and `campaign`. */
struct response auth_login(struct request *rq, const char *source, const char *campaign, auth_respond *respond);

/* Replaces the refresh token of the body. */
struct response auth_refresh(struct request *rq, auth_respond *respond);

/* REPLACED is accepted, since its owner may still have it: in another tab, or because the response got lost. */
enum token_state { NOT_OURS, CURRENT, REPLACED, SPENT };

/* Reads the session of the refresh token again, and returns the state of the token; NOT_OURS where the session ended. */
must_use enum token_state auth_find_token(struct request *rq);

/*
 * The parts of a login, for a user that becomes one in another way. For route->check: draws a session of login->user_id and issues
 * its access token. In the handler: opens the session of login->user.
 */
void auth_prepare_session(struct request *rq, struct login *login);
void auth_open_session(struct request *rq, struct login *login);

/* AuthResponseDto. */
struct response auth_response_login(struct request *rq, const struct login *login);

/* The four token fields. */
void auth_put_tokens(struct request *rq, const struct login *login);

/* The caller's live sessions, newest first. */
struct response auth_get_sessions(struct request *rq);

#endif
