/*
 * echo - a bare libfcgi program that answers every request with the same 440 bytes: the floor under every program of
 * ours, as the baseline of the benchmark and as a worker for tests of the supervisor.
 */
#include <fcgiapp.h>
#include <signal.h>
#include <stdlib.h>

static const char answer[] =
	"Status: 200 OK\r\n"
	"Content-Type: application/json; charset=utf-8\r\n"
	"\r\n"
	"{\"isSuccess\":true,\"statusCode\":200,\"data\":{\"message\":\""
	"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
	"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
	"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
	"01234567890123456789012345678901"
	"\"},\"errors\":[],\"timestamp\":\"2026-02-14T09:58:22.016Z\"}";

int
main(void)
{
	FCGX_Request request;

	if (FCGX_Init() != 0 || FCGX_InitRequest(&request, 0, 0) != 0)
		return EXIT_FAILURE;
	while (FCGX_Accept_r(&request) == 0) {
		FCGX_PutStr(answer, (int)sizeof(answer) - 1, request.out);
		FCGX_Finish_r(&request);
	}
	return EXIT_SUCCESS;
}
