#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Kinds of node on the tape.
enum {
    CJSON_NULL = 0,
    CJSON_FALSE = 1,
    CJSON_TRUE = 2,
    CJSON_INT64 = 3,   // payload: the two's complement
    CJSON_DOUBLE = 4,  // payload: the bit pattern; length: where it is written in the string arena, before something that is in no number
    CJSON_STRING = 5,  // payload: offset in the string arena, from where 16 bytes can be read; length: bytes
    CJSON_ARRAY = 6,   // payload: index after the last child; length: children
    CJSON_OBJECT = 7,  // the same; each member is a CJSON_STRING node (its name) and then its value
};

/// Why a text is not taken.
enum {
    CJSON_OK = 0,
    CJSON_EMPTY = 1,
    CJSON_SYNTAX = 2,
    CJSON_NOT_UTF8 = 3,
    CJSON_TOO_DEEP = 4,
    CJSON_BAD_NUMBER = 5,  // malformed, or an integer beyond int64, or beyond a double
    CJSON_BAD_STRING = 6,
    CJSON_DUPLICATE_NAME = 7,
    CJSON_NUL_IN_NAME = 8,
    CJSON_TOO_LARGE = 9,
};

/// One value of a parsed text. Containers can be skipped in one step.
typedef struct {
    uint32_t kind;
    uint32_t length;
    uint64_t payload;
} cjson_node;

/// Where a text's root is, or why it has none.
typedef struct {
    uint32_t root;
    uint32_t error;
} cjson_root;

/// The texts of one chunk, parsed: nodes, strings and roots in three flat arrays.
typedef struct cjson_tape cjson_tape;

cjson_tape *cjson_tape_new(void);
void cjson_tape_free(cjson_tape *tape);

/// Forgets what was parsed and keeps the room for more. Returns how many bytes that is.
size_t cjson_tape_clear(cjson_tape *tape);

/// How many readable bytes must follow the last text.
size_t cjson_padding(void);

/// Parses each text apart, so that a broken one breaks nothing else, and appends to the tape.
/// Returns 0 when memory ran out, else 1.
int cjson_parse(cjson_tape *tape, const uint8_t *base, const uint64_t *offsets, const uint32_t *lengths, size_t count);

const cjson_node *cjson_nodes(const cjson_tape *tape);
const uint8_t *cjson_strings(const cjson_tape *tape);
const cjson_root *cjson_roots(const cjson_tape *tape);
size_t cjson_root_count(const cjson_tape *tape);

/// Whether two runs of bytes are the same.
static inline bool cjson_same(const void *left, const void *right, size_t count) { return memcmp(left, right, count) == 0; }

#ifdef __cplusplus
}
#endif
