// cursor-bench URL DATABASE COLLECTION BATCH natural|id: reads every document of a collection with a plain libmongoc cursor, and
// does nothing with it but count its bytes: what any program that looks at all of them takes at least.
#include <mongoc/mongoc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int count, char **arguments) {
    if (count != 6) {
        fprintf(stderr, "cursor-bench URL DATABASE COLLECTION BATCH natural|id\n");
        return 64;
    }
    mongoc_init();
    mongoc_client_t *client = mongoc_client_new(arguments[1]);
    if (!client) {
        fprintf(stderr, "cursor-bench: the URL is not valid\n");
        return 78;
    }
    mongoc_collection_t *collection = mongoc_client_get_collection(client, arguments[2], arguments[3]);
    bson_t filter = BSON_INITIALIZER;
    bson_t *options = BCON_NEW("batchSize", BCON_INT32(atoi(arguments[4])), "readConcern", "{", "level", BCON_UTF8("majority"), "}");
    if (strcmp(arguments[5], "id") == 0) BCON_APPEND(options, "sort", "{", "_id", BCON_INT32(1), "}");

    double started = now();
    long long documents = 0, bytes = 0;
    const bson_t *document;
    mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(collection, &filter, options, NULL);
    while (mongoc_cursor_next(cursor, &document)) {
        documents += 1;
        bytes += document->len;
    }
    double seconds = now() - started;
    bson_error_t error;
    int failed = mongoc_cursor_error(cursor, &error);
    if (failed) fprintf(stderr, "cursor-bench: %s\n", error.message);
    else printf("{\"documents\": %lld, \"bytes\": %lld, \"seconds\": %.6f}\n", documents, bytes, seconds);

    mongoc_cursor_destroy(cursor);
    bson_destroy(options);
    mongoc_collection_destroy(collection);
    mongoc_client_destroy(client);
    mongoc_cleanup();
    return failed ? 69 : 0;
}
