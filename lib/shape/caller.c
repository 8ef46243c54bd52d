#include "caller.h"

enum role
caller_rights(const struct caller *caller)
{
	return !caller ? PUBLIC : caller->being_deleted ? USER : caller->role;
}
