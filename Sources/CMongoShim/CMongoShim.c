#include "CMongoShim.h"

#include <mongoc/mongoc.h>
#include <stdlib.h>
#include <string.h>

#define POOL(p) ((mongoc_client_pool_t *)(p))
#define CLIENT(c) ((mongoc_client_t *)(c))
#define SESSION(s) ((mongoc_client_session_t *)(s))
#define CURSOR(c) ((mongoc_cursor_t *)(c))

static void (*log_function)(int, const char *);

static void log_handler(mongoc_log_level_t level, const char *domain, const char *message, void *data) {
    (void)domain;
    (void)data;
    if (log_function) log_function((int)level, message);
}

static void fail(mongo_shim_error *error, const bson_error_t *from) {
    error->domain = from->domain;
    error->code = from->code;
    strncpy(error->message, from->message, sizeof error->message - 1);
    error->message[sizeof error->message - 1] = 0;
}

static void fail_with(mongo_shim_error *error, const char *message) {
    error->domain = 0;
    error->code = 0;
    strncpy(error->message, message, sizeof error->message - 1);
    error->message[sizeof error->message - 1] = 0;
}

// Copies a reply out and destroys it. NULL bytes when memory ran out, which reads as an empty reply.
static void hand_over(bson_t *from, mongo_shim_reply *to) {
    to->length = 0;
    to->bytes = malloc(from->len);
    if (to->bytes) {
        memcpy(to->bytes, bson_get_data(from), from->len);
        to->length = from->len;
    }
    bson_destroy(from);
}

void mongo_shim_initialise(void (*log)(int level, const char *message)) {
    log_function = log;
    mongoc_log_set_handler(log_handler, NULL);
    mongoc_init();
}

mongo_shim_pool *mongo_shim_pool_new(const char *url, const char *application, mongo_shim_settings settings, mongo_shim_error *error) {
    bson_error_t from;
    mongoc_uri_t *uri = mongoc_uri_new_with_error(url, &from);
    if (!uri) {
        fail(error, &from);
        return NULL;
    }
    // Said explicitly: each default is either another or endless.
    mongoc_write_concern_t *concern = mongoc_write_concern_new();
    mongoc_write_concern_set_w(concern, MONGOC_WRITE_CONCERN_W_MAJORITY);
    mongoc_uri_set_write_concern(uri, concern);
    mongoc_write_concern_destroy(concern);
    mongoc_uri_set_option_as_bool(uri, MONGOC_URI_RETRYWRITES, true);
    mongoc_uri_set_option_as_bool(uri, MONGOC_URI_RETRYREADS, true);
    mongoc_uri_set_option_as_int32(uri, MONGOC_URI_CONNECTTIMEOUTMS, settings.connect_timeout);
    mongoc_uri_set_option_as_int32(uri, MONGOC_URI_SOCKETTIMEOUTMS, settings.socket_timeout);
    mongoc_uri_set_option_as_int32(uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, settings.selection_timeout);
    mongoc_uri_set_option_as_int32(uri, MONGOC_URI_WAITQUEUETIMEOUTMS, settings.selection_timeout);
    mongoc_uri_set_option_as_int32(uri, MONGOC_URI_MAXPOOLSIZE, settings.connections);
    // A new primary is noticed within this time even when no operation fails.
    mongoc_uri_set_option_as_int32(uri, MONGOC_URI_HEARTBEATFREQUENCYMS, 1000);
    mongoc_client_pool_t *pool = mongoc_client_pool_new_with_error(uri, &from);
    mongoc_uri_destroy(uri);
    if (!pool) {
        fail(error, &from);
        return NULL;
    }
    mongoc_client_pool_set_error_api(pool, MONGOC_ERROR_API_VERSION_2);
    mongoc_client_pool_set_appname(pool, application);
    return (mongo_shim_pool *)pool;
}

void mongo_shim_pool_free(mongo_shim_pool *pool) { mongoc_client_pool_destroy(POOL(pool)); }

mongo_shim_client *mongo_shim_client_pop(mongo_shim_pool *pool) { return (mongo_shim_client *)mongoc_client_pool_pop(POOL(pool)); }

void mongo_shim_client_push(mongo_shim_pool *pool, mongo_shim_client *client) { mongoc_client_pool_push(POOL(pool), CLIENT(client)); }

mongo_shim_session *mongo_shim_session_start(mongo_shim_client *client, mongo_shim_error *error) {
    bson_error_t from;
    mongoc_session_opt_t *options = mongoc_session_opts_new();
    mongoc_session_opts_set_causal_consistency(options, true);
    mongoc_client_session_t *session = mongoc_client_start_session(CLIENT(client), options, &from);
    mongoc_session_opts_destroy(options);
    if (!session) fail(error, &from);
    return (mongo_shim_session *)session;
}

void mongo_shim_session_end(mongo_shim_session *session) { mongoc_client_session_destroy(SESSION(session)); }

void mongo_shim_session_id(mongo_shim_session *session, uint8_t id[16]) {
    bson_iter_t iterator;
    memset(id, 0, 16);
    if (bson_iter_init_find(&iterator, mongoc_client_session_get_lsid(SESSION(session)), "id") && BSON_ITER_HOLDS_BINARY(&iterator)) {
        bson_subtype_t subtype;
        uint32_t length;
        const uint8_t *bytes;
        bson_iter_binary(&iterator, &subtype, &length, &bytes);
        if (length == 16) memcpy(id, bytes, 16);
    }
}

int mongo_shim_command(
    mongo_shim_client *client, mongo_shim_session *session, const char *database, const uint8_t *command, size_t length, int mode,
    mongo_shim_reply *reply, mongo_shim_error *error
) {
    bson_t body, options = BSON_INITIALIZER, answer;
    bson_error_t from;
    reply->bytes = NULL;
    reply->length = 0;
    if (!bson_init_static(&body, command, length)) {
        fail_with(error, "the command is not BSON");
        return 0;
    }
    if (session && !mongoc_client_session_append(SESSION(session), &options, &from)) {
        bson_destroy(&options);
        fail(error, &from);
        return 0;
    }
    bool done;
    if (mode == MONGO_SHIM_READ) {
        BCON_APPEND(&options, "readConcern", "{", "level", BCON_UTF8("majority"), "}");
        done = mongoc_client_read_command_with_opts(CLIENT(client), database, &body, NULL, &options, &answer, &from);
    } else if (mode == MONGO_SHIM_WRITE) {
        BCON_APPEND(&options, "writeConcern", "{", "w", BCON_UTF8("majority"), "}");
        done = mongoc_client_write_command_with_opts(CLIENT(client), database, &body, &options, &answer, &from);
    } else if (mode == MONGO_SHIM_TRANSACTION) {
        done = mongoc_client_write_command_with_opts(CLIENT(client), database, &body, &options, &answer, &from);
    } else {
        done = mongoc_client_command_with_opts(CLIENT(client), database, &body, NULL, &options, &answer, &from);
    }
    bson_destroy(&options);
    hand_over(&answer, reply);
    if (!done) fail(error, &from);
    return done;
}

static int64_t last_write(const mongoc_server_description_t *server) {
    bson_iter_t iterator, date;
    if (bson_iter_init(&iterator, mongoc_server_description_hello_response(server)) &&
        bson_iter_find_descendant(&iterator, "lastWrite.lastWriteDate", &date) && BSON_ITER_HOLDS_DATE_TIME(&date))
        return bson_iter_date_time(&date);
    return 0;
}

static size_t known_servers(mongo_shim_client *client, mongo_shim_server *servers, size_t most) {
    size_t count, found = 0;
    mongoc_server_description_t **all = mongoc_client_get_server_descriptions(CLIENT(client), &count);
    for (size_t index = 0; index < count && found < most; index++) {
        const char *type = mongoc_server_description_type(all[index]);
        bool is_primary = strcmp(type, "RSPrimary") == 0;
        if (!is_primary && strcmp(type, "RSSecondary") != 0) continue;
        servers[found].id = mongoc_server_description_id(all[index]);
        servers[found].is_primary = is_primary;
        strncpy(servers[found].name, mongoc_server_description_host(all[index])->host_and_port, sizeof servers[found].name - 1);
        servers[found].name[sizeof servers[found].name - 1] = 0;
        servers[found].last_write = last_write(all[index]);
        found++;
    }
    mongoc_server_descriptions_destroy_all(all, count);
    return found;
}

size_t mongo_shim_servers(mongo_shim_client *client, int needs_primary, mongo_shim_server *servers, size_t most) {
    size_t found = known_servers(client, servers, most);
    bool is_enough = found && !needs_primary;
    for (size_t index = 0; index < found; index++) is_enough = is_enough || servers[index].is_primary;
    if (is_enough) return found;
    mongoc_read_prefs_t *nearest = mongoc_read_prefs_new(MONGOC_READ_NEAREST);
    bson_error_t from;
    mongoc_server_description_t *selected = mongoc_client_select_server(CLIENT(client), needs_primary, needs_primary ? NULL : nearest, &from);
    if (selected) mongoc_server_description_destroy(selected);
    mongoc_read_prefs_destroy(nearest);
    return known_servers(client, servers, most);
}

int mongo_shim_read(
    mongo_shim_client *client, uint32_t server, const char *database, const uint8_t *command, size_t length, mongo_shim_reply *reply,
    mongo_shim_error *error
) {
    bson_t body, answer;
    bson_error_t from;
    reply->bytes = NULL;
    reply->length = 0;
    if (!bson_init_static(&body, command, length)) {
        fail_with(error, "the command is not BSON");
        return 0;
    }
    // Else a secondary would not take it.
    mongoc_read_prefs_t *nearest = mongoc_read_prefs_new(MONGOC_READ_NEAREST);
    bool done = mongoc_client_command_simple_with_server_id(CLIENT(client), database, &body, nearest, server, &answer, &from);
    mongoc_read_prefs_destroy(nearest);
    hand_over(&answer, reply);
    if (!done) fail(error, &from);
    return done;
}

int mongo_shim_transaction_start(mongo_shim_session *session, mongo_shim_error *error) {
    bson_error_t from;
    mongoc_transaction_opt_t *options = mongoc_transaction_opts_new();
    mongoc_write_concern_t *concern = mongoc_write_concern_new();
    mongoc_write_concern_set_w(concern, MONGOC_WRITE_CONCERN_W_MAJORITY);
    mongoc_transaction_opts_set_write_concern(options, concern);
    bool done = mongoc_client_session_start_transaction(SESSION(session), options, &from);
    mongoc_write_concern_destroy(concern);
    mongoc_transaction_opts_destroy(options);
    if (!done) fail(error, &from);
    return done;
}

int mongo_shim_transaction_commit(mongo_shim_session *session, mongo_shim_reply *reply, mongo_shim_error *error) {
    bson_t answer;
    bson_error_t from;
    bool done = mongoc_client_session_commit_transaction(SESSION(session), &answer, &from);
    hand_over(&answer, reply);
    if (!done) fail(error, &from);
    return done;
}

void mongo_shim_transaction_abort(mongo_shim_session *session) {
    // A failure is of no interest: the server drops what it does not hear of again.
    mongoc_client_session_abort_transaction(SESSION(session), NULL);
}

mongo_shim_cursor *mongo_shim_find(
    mongo_shim_client *client, mongo_shim_session *session, const char *database, const char *collection, const uint8_t *filter,
    size_t filter_length, const uint8_t *options, size_t options_length, mongo_shim_error *error
) {
    bson_t query, given, all;
    bson_error_t from;
    if (!bson_init_static(&query, filter, filter_length) || !bson_init_static(&given, options, options_length)) {
        fail_with(error, "the query is not BSON");
        return NULL;
    }
    bson_copy_to(&given, &all);
    // A transaction has one read concern for all that is read in it.
    if (!session || !mongoc_client_session_in_transaction(SESSION(session)))
        BCON_APPEND(&all, "readConcern", "{", "level", BCON_UTF8("majority"), "}");
    mongoc_cursor_t *cursor = NULL;
    if (session && !mongoc_client_session_append(SESSION(session), &all, &from)) {
        fail(error, &from);
    } else {
        mongoc_collection_t *target = mongoc_client_get_collection(CLIENT(client), database, collection);
        cursor = mongoc_collection_find_with_opts(target, &query, &all, NULL);
        mongoc_collection_destroy(target);
    }
    bson_destroy(&all);
    return (mongo_shim_cursor *)cursor;
}

int mongo_shim_cursor_next(mongo_shim_cursor *cursor, const uint8_t **bytes, size_t *length, mongo_shim_error *error) {
    const bson_t *document;
    bson_error_t from;
    if (mongoc_cursor_next(CURSOR(cursor), &document)) {
        *bytes = bson_get_data(document);
        *length = document->len;
        return 1;
    }
    if (!mongoc_cursor_error(CURSOR(cursor), &from)) return 0;
    fail(error, &from);
    return -1;
}

void mongo_shim_cursor_free(mongo_shim_cursor *cursor) { mongoc_cursor_destroy(CURSOR(cursor)); }

void mongo_shim_free(void *bytes) { free(bytes); }
