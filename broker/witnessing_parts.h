#pragma once

#include "broker/witnessing.h"

/* What broker/witnessing.c and broker/witnessing_shown.c share. */

#define WITNESSING_LINE_MAX 512 /* as the wire has it */

struct witnessing_one {
    uint64_t connection; /* 0: none */
    bool heard;          /* since the start */
    uint64_t known;      /* size of the newest checkpoint that it is known to hold */
    uint64_t sent;       /* size of the offer that went out on this connection */
    bool resent;         /* that offer was sent once more, from another size */
    uint64_t cosigned;
    int64_t time;
    uint64_t refused;
    uint64_t bad;
    uint8_t line[WITNESSING_LINE_MAX]; /* its cosignature of what is offered */
    size_t line_size;
};

struct witnessing {
    struct logbook *logbook;
    struct witnesses *keys;
    struct witnessing_one list[WITNESSES_MAX];
    int64_t every;
    bool clear;      /* enough have said hello since the start */
    uint64_t wanted; /* somebody waits for a final checkpoint of this size */
    uint64_t bad_notes;
    uint64_t offered; /* size; 0: nothing */
    struct digest offered_root;
    int64_t offered_at; /* by this process; 0: not yet */
    int64_t asked_at;
    struct byte_buffer plain;        /* the log's note, with its own signature only */
    struct byte_buffer offered_note; /* with the cosignatures that came */
    uint64_t final;
    struct digest final_root;
    struct byte_buffer final_note;
    struct byte_buffer body;
};

void witnessing_say(struct witnessing_word *word, enum witnessing_outcome outcome, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A checkpoint of our own key that somebody showed, and that is in this log. */
struct witnessing_shown {
    uint64_t size;
};

/* witnessing_look - judge a note that a member shows; word stays as it is when all is fine. */
enum status witnessing_look(struct witnessing *witnessing, const char *member, struct byte_view note,
                            struct witnessing_shown *ret_shown, struct witnessing_word *word);
