#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * SET256_DEFINE(NAME) - struct NAME, a set of small numbers 0 .. 255, and its operations NAME_*. One type for
 * each thing that is numbered, so that a set of labels is never mistaken for a set of parties.
 *
 * NAME_next gives the smallest member that is not below `from`, or SET256_END.
 */
#define SET256_WORDS 4
#define SET256_END   256u

#define SET256_DEFINE(NAME)                                                                                  \
    struct NAME {                                                                                            \
        uint64_t words[SET256_WORDS];                                                                        \
    };                                                                                                       \
                                                                                                             \
    static inline bool NAME##_has(const struct NAME *set, unsigned index)                                    \
    {                                                                                                        \
        return index < SET256_END && (set->words[index / 64] >> (index % 64) & 1) != 0;                      \
    }                                                                                                        \
                                                                                                             \
    static inline void NAME##_add(struct NAME *set, unsigned index)                                          \
    {                                                                                                        \
        if (index < SET256_END)                                                                              \
            set->words[index / 64] |= UINT64_C(1) << (index % 64);                                           \
    }                                                                                                        \
                                                                                                             \
    static inline void NAME##_remove(struct NAME *set, unsigned index)                                       \
    {                                                                                                        \
        if (index < SET256_END)                                                                              \
            set->words[index / 64] &= ~(UINT64_C(1) << (index % 64));                                        \
    }                                                                                                        \
                                                                                                             \
    static inline struct NAME NAME##_and(struct NAME a, const struct NAME *b)                                \
    {                                                                                                        \
        for (size_t i = 0; i < SET256_WORDS; i++)                                                            \
            a.words[i] &= b->words[i];                                                                       \
        return a;                                                                                            \
    }                                                                                                        \
                                                                                                             \
    static inline struct NAME NAME##_or(struct NAME a, const struct NAME *b)                                 \
    {                                                                                                        \
        for (size_t i = 0; i < SET256_WORDS; i++)                                                            \
            a.words[i] |= b->words[i];                                                                       \
        return a;                                                                                            \
    }                                                                                                        \
                                                                                                             \
    static inline struct NAME NAME##_minus(struct NAME a, const struct NAME *b)                              \
    {                                                                                                        \
        for (size_t i = 0; i < SET256_WORDS; i++)                                                            \
            a.words[i] &= ~b->words[i];                                                                      \
        return a;                                                                                            \
    }                                                                                                        \
                                                                                                             \
    static inline bool NAME##_empty(const struct NAME *set)                                                  \
    {                                                                                                        \
        return (set->words[0] | set->words[1] | set->words[2] | set->words[3]) == 0;                         \
    }                                                                                                        \
                                                                                                             \
    static inline bool NAME##_equal(const struct NAME *a, const struct NAME *b)                              \
    {                                                                                                        \
        uint64_t difference = 0;                                                                             \
                                                                                                             \
        for (size_t i = 0; i < SET256_WORDS; i++)                                                            \
            difference |= a->words[i] ^ b->words[i];                                                         \
        return difference == 0;                                                                              \
    }                                                                                                        \
                                                                                                             \
    static inline bool NAME##_within(const struct NAME *part, const struct NAME *whole)                      \
    {                                                                                                        \
        struct NAME outside = NAME##_minus(*part, whole);                                                    \
                                                                                                             \
        return NAME##_empty(&outside);                                                                       \
    }                                                                                                        \
                                                                                                             \
    static inline unsigned NAME##_count(const struct NAME *set)                                              \
    {                                                                                                        \
        unsigned count = 0;                                                                                  \
                                                                                                             \
        for (size_t i = 0; i < SET256_WORDS; i++)                                                            \
            count += (unsigned)__builtin_popcountll(set->words[i]);                                          \
        return count;                                                                                        \
    }                                                                                                        \
                                                                                                             \
    static inline unsigned NAME##_next(const struct NAME *set, unsigned from)                                \
    {                                                                                                        \
        for (unsigned i = from / 64; i < SET256_WORDS; i++) {                                                \
            uint64_t word = set->words[i];                                                                   \
                                                                                                             \
            if (i == from / 64)                                                                              \
                word &= ~UINT64_C(0) << (from % 64);                                                         \
            if (word != 0)                                                                                   \
                return i * 64 + (unsigned)__builtin_ctzll(word);                                             \
        }                                                                                                    \
        return SET256_END;                                                                                   \
    }
