/*
 * libpq - PostgreSQL's client library, loaded when a database of it is opened: an installation on SQLite neither links
 * nor loads it. A function is called as pq.PQfinish(...).
 */
#ifndef OKUL_LIBPQ_H
#define OKUL_LIBPQ_H

#include "base.h"

#include <libpq-fe.h>

/* clang-format off */
#define LIBPQ(X) \
	X(PQconnectdbParams) X(PQfinish) X(PQstatus) \
	X(PQerrorMessage) X(PQserverVersion) X(PQparameterStatus) X(PQtransactionStatus) X(PQsocket) X(PQsetnonblocking) X(PQflush) \
	X(PQconsumeInput) X(PQisBusy) X(PQgetResult) X(PQsetSingleRowMode) X(PQenterPipelineMode) X(PQexitPipelineMode) \
	X(PQpipelineSync) X(PQsendQuery) X(PQsendPrepare) X(PQsendDescribePrepared) X(PQsendQueryPrepared) X(PQsendQueryParams) \
	X(PQsetNoticeReceiver) X(PQresultStatus) X(PQresultErrorField) X(PQcmdTuples) X(PQcmdStatus) X(PQclear) X(PQntuples) \
	X(PQnfields) X(PQfname) X(PQftype) X(PQfformat) X(PQgetvalue) X(PQsetvalue) X(PQgetlength) X(PQgetisnull) X(PQnparams) X(PQparamtype) \
	X(PQputCopyData) X(PQputCopyEnd) X(PQfreemem)
/* clang-format on */

#define LIBPQ_MEMBER(name) typeof(name) *name;
extern struct libpq { LIBPQ(LIBPQ_MEMBER) } pq;

/* Loads the library, once. Returns false with the reason and the remedy in `why`. */
must_use bool libpq_load(char *why, size_t room);

#endif
