#include "error.h"

static const struct {
	int status;
	enum sentence sentence;
} errors[] = {
#define ERROR_ROW(name, status, sentence) [name] = { status, sentence },
	ERRORS(ERROR_ROW)
#undef ERROR_ROW
};

int
error_status(enum error error)
{
	return errors[error].status;
}

enum sentence
error_sentence(enum error error)
{
	return errors[error].sentence;
}
