// A flat tape of simdjson's own. The DOM picks the machine's fastest implementation at run time, which simdjson's
// on-demand interface of the packaged library does not, and parsing each text apart keeps a broken one to itself.
//
// The DOM's tape is read word by word, not through its iterators, which cost more than the parsing. Its form is documented
// in simdjson's doc/tape.md.

#include "CJSON.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <simdjson.h>
#include <vector>

namespace dom = simdjson::dom;

namespace {

// An array whose room is asked for once a text, and not with every element. What is new in it is not touched.
template <typename Element> struct Room {
    Element *start = nullptr;
    size_t used = 0, size = 0;

    ~Room() { free(start); }

    void grow(size_t more) {
        if (size - used >= more) return;
        size_t wanted = std::max(used + more, size * 2);
        void *grown = realloc(start, wanted * sizeof(Element));
        if (grown == nullptr) throw std::bad_alloc();
        start = static_cast<Element *>(grown);
        size = wanted;
    }
};

// A container whose end has not been met.
struct Open {
    size_t node;
    uint32_t count;
    bool isObject;
    // Of the names so far, one bit each, and whether two have the same: only then are names compared.
    uint64_t met;
    bool isSuspect;
};

// simdjson's own limit, and one for what is around the root.
constexpr size_t maximumDepth = simdjson::DEFAULT_MAX_DEPTH + 1;
// Pairwise comparison beats sorting up to about this many names.
constexpr size_t fewNames = 16;
// Strings are compared by so many bytes at once, which are read even where a string is shorter.
constexpr size_t slack = 2 * sizeof(uint64_t);

} // namespace

struct cjson_tape {
    dom::parser parser;
    Room<cjson_node> nodes;
    Room<uint8_t> strings;
    std::vector<cjson_root> roots;
    Open open[maximumDepth + 1];
};

namespace {

struct Name {
    uint64_t head;
    const uint8_t *bytes;
    uint32_t length;

    Name() = default;
    Name(const cjson_node &node, const uint8_t *strings) : bytes(strings + node.payload), length(node.length) {
        memcpy(&head, bytes, sizeof head);
        if (length < sizeof head) head &= (uint64_t(1) << 8 * length) - 1;
    }

    bool operator==(const Name &other) const {
        return head == other.head && length == other.length && (length <= sizeof head || memcmp(bytes, other.bytes, length) == 0);
    }
    bool operator<(const Name &other) const {
        if (head != other.head) return head < other.head;
        if (length != other.length) return length < other.length;
        return memcmp(bytes, other.bytes, length) < 0;
    }
};

// The bit of a name among 64.
uint64_t bit(const Name &name) { return uint64_t(1) << (((name.head ^ name.length) * 0x9e3779b97f4a7c15u) >> 58); }

bool hasDuplicate(const cjson_tape &tape, const Open &object) {
    Name few[fewNames];
    std::vector<Name> many;
    if (object.count > fewNames) many.resize(object.count);
    Name *names = many.empty() ? few : many.data();
    size_t place = object.node + 1;
    for (uint32_t number = 0; number < object.count; number++) {
        names[number] = Name(tape.nodes.start[place], tape.strings.start);
        const cjson_node &value = tape.nodes.start[place + 1];
        place = value.kind >= CJSON_ARRAY ? value.payload : place + 2;
    }
    if (many.empty()) {
        for (uint32_t i = 1; i < object.count; i++) {
            for (uint32_t j = 0; j < i; j++) {
                if (few[i] == few[j]) return true;
            }
        }
        return false;
    }
    std::sort(many.begin(), many.end());
    return std::adjacent_find(many.begin(), many.end()) != many.end();
}

// Appends the value that the parser has just read from a text, and says what is wrong with it.
uint32_t append(cjson_tape &tape, const uint8_t *text, size_t length) {
    const uint64_t *words = tape.parser.doc.tape.get();
    const uint8_t *texts = tape.parser.doc.string_buf.get();
    // Where each brace, bracket, comma, colon and scalar of the text begins, which the parser's first pass found: the DOM
    // keeps no places, and what the words say is passed in the same order.
    const uint32_t *places = tape.parser.implementation->structural_indexes.get();
    // NUL only gets into a text by an escape.
    const bool hasEscape = memchr(text, '\\', length) != nullptr;
    // Each node has a place of its own, and no string is longer than it is written.
    tape.nodes.grow(tape.parser.implementation->n_structural_indexes + 1);
    tape.strings.grow((hasEscape ? 2 : 1) * length + 1 + slack);
    cjson_node *node = tape.nodes.start + tape.nodes.used;
    // The text itself, in which its numbers and its strings without escapes lie; behind it, the others.
    uint8_t *strings = tape.strings.start, *string = strings + tape.strings.used;
    const uint64_t own = tape.strings.used;
    memcpy(string, text, length);
    string += length;
    *string++ = 0;
    Open *open = tape.open;
    *open = {0, 0, false, 0, false};
    bool isName = false;

    auto push = [&](uint32_t kind, uint64_t payload = 0, uint32_t length = 0) { *node++ = {kind, length, payload}; };
    for (size_t at = 1;; at++) {
        uint64_t payload = words[at] & simdjson::internal::JSON_VALUE_MASK;
        switch (words[at] >> 56) {
        case '"': {
            uint32_t bytes;
            memcpy(&bytes, texts + payload, sizeof bytes);
            if (hasEscape) {
                memcpy(string, texts + payload + sizeof bytes, bytes);
                push(CJSON_STRING, string - strings, bytes);
                if (isName && memchr(string, 0, bytes) != nullptr) return CJSON_NUL_IN_NAME;
                string += bytes;
            } else {
                push(CJSON_STRING, own + *places + 1, bytes);
            }
            places += 2;  // itself, and the comma, bracket or brace behind it, or the colon behind a name
            if (isName) {
                const uint64_t mine = bit(Name(node[-1], strings));
                open->isSuspect |= (open->met & mine) != 0;
                open->met |= mine;
                isName = false;
                continue;
            }
            break;
        }
        case 'l':
            push(CJSON_INT64, words[++at]);
            places += 2;
            break;
        case 'd':
            if (own + *places > UINT32_MAX) return CJSON_TOO_LARGE;
            push(CJSON_DOUBLE, words[++at], static_cast<uint32_t>(own + *places));
            places += 2;
            break;
        case 'n':
            push(CJSON_NULL);
            places += 2;
            break;
        case 't':
            push(CJSON_TRUE);
            places += 2;
            break;
        case 'f':
            push(CJSON_FALSE);
            places += 2;
            break;
        case '{':
        case '[':
            isName = words[at] >> 56 == '{';
            *++open = {static_cast<size_t>(node - tape.nodes.start), 0, isName, 0, false};
            push(isName ? CJSON_OBJECT : CJSON_ARRAY);
            places++;
            continue;
        case '}':
        case ']': {
            cjson_node &container = tape.nodes.start[open->node];
            container.length = open->count;
            container.payload = node - tape.nodes.start;
            if (open->isSuspect && hasDuplicate(tape, *open)) return CJSON_DUPLICATE_NAME;
            places += open->count == 0 ? 2 : 1;  // its end, unless it was behind its last value, and what is behind it
            open--;
            break;
        }
        case 'r':
            tape.nodes.used = node - tape.nodes.start;
            tape.strings.used = string - strings;
            return CJSON_OK;
        default: return CJSON_BAD_NUMBER;  // an integer beyond int64
        }
        open->count++;
        isName = open->isObject;
    }
}

uint32_t classify(simdjson::error_code error) {
    switch (error) {
    case simdjson::SUCCESS: return CJSON_OK;
    case simdjson::EMPTY: return CJSON_EMPTY;
    case simdjson::UTF8_ERROR: return CJSON_NOT_UTF8;
    case simdjson::DEPTH_ERROR: return CJSON_TOO_DEEP;
    case simdjson::NUMBER_ERROR:
    case simdjson::NUMBER_OUT_OF_RANGE: return CJSON_BAD_NUMBER;
    case simdjson::STRING_ERROR: return CJSON_BAD_STRING;
    case simdjson::CAPACITY:
    case simdjson::MEMALLOC: return CJSON_TOO_LARGE;
    default: return CJSON_SYNTAX;
    }
}

} // namespace

extern "C" {

cjson_tape *cjson_tape_new(void) { return new (std::nothrow) cjson_tape; }

void cjson_tape_free(cjson_tape *tape) { delete tape; }

size_t cjson_tape_clear(cjson_tape *tape) {
    tape->nodes.used = 0;
    tape->strings.used = 0;
    tape->roots.clear();
    return tape->nodes.size * sizeof(cjson_node) + tape->strings.size;
}

size_t cjson_padding(void) { return simdjson::SIMDJSON_PADDING; }

int cjson_parse(cjson_tape *tape, const uint8_t *base, const uint64_t *offsets, const uint32_t *lengths, size_t count) try {
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) bytes += lengths[i];
    tape->roots.reserve(tape->roots.size() + count);
    tape->nodes.grow(bytes / 8);
    tape->strings.grow(bytes + count + slack);
    for (size_t i = 0; i < count; i++) {
        size_t node = tape->nodes.used;
        uint32_t error = classify(tape->parser.parse(base + offsets[i], lengths[i], false).error());
        if (error == CJSON_OK) error = append(*tape, base + offsets[i], lengths[i]);
        tape->roots.push_back({static_cast<uint32_t>(node), error});
    }
    return 1;
} catch (const std::bad_alloc &) {
    return 0;
}

const cjson_node *cjson_nodes(const cjson_tape *tape) { return tape->nodes.start; }
const uint8_t *cjson_strings(const cjson_tape *tape) { return tape->strings.start; }
const cjson_root *cjson_roots(const cjson_tape *tape) { return tape->roots.data(); }
size_t cjson_root_count(const cjson_tape *tape) { return tape->roots.size(); }

}
