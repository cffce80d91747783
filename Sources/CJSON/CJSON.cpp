// A flat tape of simdjson's DOM. The DOM picks the machine's fastest implementation at run time, which simdjson's
// on-demand interface of the packaged library does not, and parsing each text apart keeps a broken one to itself.

#include "CJSON.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <simdjson.h>
#include <vector>

namespace dom = simdjson::dom;

struct cjson_tape {
    dom::parser parser;
    std::vector<cjson_node> nodes;
    std::vector<uint8_t> strings;
    std::vector<cjson_root> roots;
};

namespace {

// Pairwise comparison beats sorting up to about this many names.
constexpr size_t fewNames = 16;

struct Builder {
    cjson_tape &tape;
    const uint8_t *text, *textEnd;
    // Where each brace, bracket, comma, colon and scalar of the text begins, which the parser's first pass found: the DOM
    // keeps no places, and a walk over it in the order of the text passes them one by one.
    const uint32_t *places;
    uint32_t error = CJSON_OK;

    void string(std::string_view text) {
        tape.nodes.push_back({CJSON_STRING, static_cast<uint32_t>(text.size()), tape.strings.size()});
        tape.strings.insert(tape.strings.end(), text.begin(), text.end());
    }

    // A number as it is written, for those who want all its digits.
    void number(const uint8_t *start, double number) {
        if (tape.strings.size() > UINT32_MAX) {
            error = CJSON_TOO_LARGE;
            return;
        }
        uint64_t bits;
        memcpy(&bits, &number, sizeof bits);
        tape.nodes.push_back({CJSON_DOUBLE, static_cast<uint32_t>(tape.strings.size()), bits});
        const uint8_t *end = start;
        while (end < textEnd && ((*end >= '0' && *end <= '9') || *end == '-' || *end == '+' || *end == '.' || *end == 'e' || *end == 'E')) end++;
        tape.strings.insert(tape.strings.end(), start, end);
        tape.strings.push_back(0);
    }

    void value(dom::element element) {
        const uint8_t *start = text + *places++;
        switch (element.type()) {
        case dom::element_type::NULL_VALUE: tape.nodes.push_back({CJSON_NULL, 0, 0}); break;
        case dom::element_type::BOOL: tape.nodes.push_back({static_cast<uint32_t>(bool(element) ? CJSON_TRUE : CJSON_FALSE), 0, 0}); break;
        case dom::element_type::INT64: tape.nodes.push_back({CJSON_INT64, 0, static_cast<uint64_t>(int64_t(element))}); break;
        case dom::element_type::UINT64: error = CJSON_BAD_NUMBER; break;
        case dom::element_type::DOUBLE: number(start, element); break;
        case dom::element_type::STRING: string(element); break;
        case dom::element_type::ARRAY: array(element); break;
        case dom::element_type::OBJECT: object(element); break;
        }
    }

    void array(dom::array elements) {
        size_t at = tape.nodes.size();
        tape.nodes.push_back({CJSON_ARRAY, 0, 0});
        uint32_t count = 0;
        for (dom::element element : elements) {
            value(element);
            if (error != CJSON_OK) return;
            count++;
            places++;  // the comma or the bracket behind it
        }
        if (count == 0) places++;
        tape.nodes[at].length = count;
        tape.nodes[at].payload = tape.nodes.size();
    }

    void object(dom::object members) {
        size_t at = tape.nodes.size();
        tape.nodes.push_back({CJSON_OBJECT, 0, 0});
        size_t count = 0;
        size_t few[fewNames];
        std::vector<size_t> many;
        for (dom::key_value_pair member : members) {
            if (memchr(member.key.data(), 0, member.key.size()) != nullptr) {
                error = CJSON_NUL_IN_NAME;
                return;
            }
            size_t name = tape.nodes.size();
            string(member.key);
            if (count < fewNames) {
                for (size_t i = 0; i < count; i++) {
                    if (order(few[i], name) == 0) {
                        error = CJSON_DUPLICATE_NAME;
                        return;
                    }
                }
                few[count] = name;
            } else {
                if (many.empty()) many.assign(few, few + fewNames);
                many.push_back(name);
            }
            places += 2;  // the name and its colon
            value(member.value);
            if (error != CJSON_OK) return;
            count++;
            places++;  // the comma or the brace behind it
        }
        if (count == 0) places++;
        if (!many.empty()) {
            std::sort(many.begin(), many.end(), [this](size_t a, size_t b) { return order(a, b) < 0; });
            for (size_t i = 1; i < many.size(); i++) {
                if (order(many[i - 1], many[i]) == 0) {
                    error = CJSON_DUPLICATE_NAME;
                    return;
                }
            }
        }
        tape.nodes[at].length = static_cast<uint32_t>(count);
        tape.nodes[at].payload = tape.nodes.size();
    }

    int order(size_t a, size_t b) const {
        const cjson_node &left = tape.nodes[a], &right = tape.nodes[b];
        if (left.length != right.length) return left.length < right.length ? -1 : 1;
        return memcmp(tape.strings.data() + left.payload, tape.strings.data() + right.payload, left.length);
    }
};

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

size_t cjson_padding(void) { return simdjson::SIMDJSON_PADDING; }

int cjson_parse(cjson_tape *tape, const uint8_t *base, const uint64_t *offsets, const uint32_t *lengths, size_t count) try {
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) bytes += lengths[i];
    tape->roots.reserve(tape->roots.size() + count);
    tape->nodes.reserve(tape->nodes.size() + bytes / 8);
    tape->strings.reserve(tape->strings.size() + bytes);
    for (size_t i = 0; i < count; i++) {
        size_t nodes = tape->nodes.size(), strings = tape->strings.size();
        dom::element root;
        uint32_t error = classify(tape->parser.parse(base + offsets[i], lengths[i], false).get(root));
        if (error == CJSON_OK) {
            Builder builder{*tape, base + offsets[i], base + offsets[i] + lengths[i], tape->parser.implementation->structural_indexes.get()};
            builder.value(root);
            error = builder.error;
        }
        if (error != CJSON_OK) {
            tape->nodes.resize(nodes);
            tape->strings.resize(strings);
        }
        tape->roots.push_back({static_cast<uint32_t>(nodes), error});
    }
    return 1;
} catch (const std::bad_alloc &) {
    return 0;
}

const cjson_node *cjson_nodes(const cjson_tape *tape) { return tape->nodes.data(); }
const uint8_t *cjson_strings(const cjson_tape *tape) { return tape->strings.data(); }
const cjson_root *cjson_roots(const cjson_tape *tape) { return tape->roots.data(); }
size_t cjson_root_count(const cjson_tape *tape) { return tape->roots.size(); }

}
