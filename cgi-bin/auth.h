/*
 * auth - what the two surfaces of the group share.
 */
#ifndef OKUL_AUTH_H
#define OKUL_AUTH_H

#include "app.h"
#include "random.h"
#include "token.h"

extern const struct section auth_unified, auth_v1;
extern const struct shape auth_refresh_token, auth_logout_response, auth_session_response;

/* Fields of the bodies of both surfaces, where they are the same. */
enum { AUTH_EMAIL, AUTH_LANGUAGE, AUTH_CODE = AUTH_LANGUAGE };
enum { AUTH_REFRESH };

struct login {
	int64_t pk;			/* of the session */
	int64_t user;
	const char *email;		/* by auth_find_token() */
	char user_id[ID_TEXT], session[ID_TEXT];
	unsigned char seed[REFRESH_SEED];
	uint32_t counter;
	int64_t expires;		/* of the session */
	bool is_new;			/* the user was made just now */
	struct value source, campaign;	/* of a new user: where they come from */
};

/* Mails a code of so many digits to the body's address; `response` writes the answer. */
struct response auth_request_code(struct request *rq, unsigned digits, struct response (*response)(struct request *, const char *code));

/*
 * Uses up the body's code, of so many digits, makes the user where the address is new, opens a session. `login` is zeroed but for
 * source and campaign. False: answer with *refusal.
 */
must_use bool auth_login(struct request *rq, unsigned digits, struct login *login, struct response *refusal);

/* Replaces the body's refresh token. False: answer with *refusal. */
must_use bool auth_refresh(struct request *rq, struct login *login, struct response *refusal);

/* A token that was replaced works where its owner may still have it: in another tab, or since the answer got lost. */
enum shown_token { NOT_OURS, CURRENT, REPLACED, SPENT };

/* The live session of a refresh token, and what the token is to it. */
must_use enum shown_token auth_find_token(struct request *rq, const char *token, struct login *login);

/* The four token fields. False when memory is short. */
must_use bool auth_put_tokens(struct request *rq, const struct login *login);

/* The caller's live sessions, newest first. */
struct response auth_get_sessions(struct request *rq);

#endif
