#pragma once
#include <stddef.h>
#include <stdint.h>

// libmongoc for callers that cannot hold a bson_t: the packaged libbson aligns it to 128 bytes, which Swift does not
// import. BSON crosses as pointer and length; replies are copies that the caller frees with mongo_shim_free.
// Clients, sessions and cursors are used by one thread at a time; a pool by any.

typedef struct mongo_shim_pool mongo_shim_pool;
typedef struct mongo_shim_client mongo_shim_client;
typedef struct mongo_shim_session mongo_shim_session;
typedef struct mongo_shim_cursor mongo_shim_cursor;

typedef struct {
    uint32_t domain; // libmongoc's
    uint32_t code;   // the server's for a server's error, else libmongoc's
    char message[504];
} mongo_shim_error;

typedef struct {
    uint8_t *bytes;
    size_t length;
} mongo_shim_reply;

enum {
    MONGO_SHIM_PLAIN = 0,       // on the primary, without read or write concern
    MONGO_SHIM_READ = 1,        // on the primary, read concern majority
    MONGO_SHIM_WRITE = 2,       // write concern majority; of such commands libmongoc repeats only findAndModify by itself
    MONGO_SHIM_TRANSACTION = 3, // within the session's transaction
};

// Of every connection of a pool. Timeouts in milliseconds.
typedef struct {
    int32_t connect_timeout;
    int32_t socket_timeout;
    int32_t selection_timeout;
    int32_t connections;
} mongo_shim_settings;

// Once per process, before anything else. `log` gets libmongoc's level (0 error … 6 trace) and text.
void mongo_shim_initialise(void (*log)(int level, const char *message));

mongo_shim_pool *mongo_shim_pool_new(const char *url, const char *application, mongo_shim_settings settings, mongo_shim_error *error);
void mongo_shim_pool_free(mongo_shim_pool *pool);

// Waits for a client no longer than the pool's limit; NULL then.
mongo_shim_client *mongo_shim_client_pop(mongo_shim_pool *pool);
void mongo_shim_client_push(mongo_shim_pool *pool, mongo_shim_client *client);

// A causally consistent session.
mongo_shim_session *mongo_shim_session_start(mongo_shim_client *client, mongo_shim_error *error);
void mongo_shim_session_end(mongo_shim_session *session);
void mongo_shim_session_id(mongo_shim_session *session, uint8_t id[16]);

// A member of the replica set, as it was last heard of.
typedef struct {
    uint32_t id;        // of this pool
    char name[300];     // host and port
    int32_t is_primary; // else a secondary
    int64_t last_write; // milliseconds since 1970
} mongo_shim_server;

// Those that can be read from, at most `most`. Where there is none, or no primary and one is needed, it waits for one, no longer
// than the pool's limit.
size_t mongo_shim_servers(mongo_shim_client *client, int needs_primary, mongo_shim_server *servers, size_t most);

// A command at one server, without an explicit session: it says itself what it reads. It is not repeated.
int mongo_shim_read(
    mongo_shim_client *client, uint32_t server, const char *database, const uint8_t *command, size_t length, mongo_shim_reply *reply,
    mongo_shim_error *error
);

// The reply is set on failure too: it carries error labels and write errors.
int mongo_shim_command(
    mongo_shim_client *client, mongo_shim_session *session, const char *database, const uint8_t *command, size_t length, int mode,
    mongo_shim_reply *reply, mongo_shim_error *error
);

int mongo_shim_transaction_start(mongo_shim_session *session, mongo_shim_error *error);
int mongo_shim_transaction_commit(mongo_shim_session *session, mongo_shim_reply *reply, mongo_shim_error *error);
void mongo_shim_transaction_abort(mongo_shim_session *session);

// A find on the primary with read concern majority.
mongo_shim_cursor *mongo_shim_find(
    mongo_shim_client *client, mongo_shim_session *session, const char *database, const char *collection, const uint8_t *filter,
    size_t filter_length, const uint8_t *options, size_t options_length, mongo_shim_error *error
);
// 1: a document, valid until the next call; 0: the end; -1: an error.
int mongo_shim_cursor_next(mongo_shim_cursor *cursor, const uint8_t **bytes, size_t *length, mongo_shim_error *error);
void mongo_shim_cursor_free(mongo_shim_cursor *cursor);

void mongo_shim_free(void *bytes);

static inline const char *mongo_shim_server_name(const mongo_shim_server *server) { return server->name; }
static inline const char *mongo_shim_message(const mongo_shim_error *error) { return error->message; }
