#pragma once

#include <stdint.h>

/*
 * What a check found wrong, told line by line as it is found. After the first PROBLEMS_TOLD of them only
 * their number is kept, as damage may go through a whole log.
 */
#define PROBLEMS_TOLD      50
#define PROBLEMS_TEXT_SIZE 512

struct problems {
    void (*tell)(void *context, const char *text);
    void *context;
    uint64_t count;
};

void problems_add(struct problems *problems, const char *format, ...) __attribute__((format(printf, 2, 3)));
