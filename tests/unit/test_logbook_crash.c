#include "tests/support/loghouse.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/crash.h"

#ifdef CONCORDAT_CRASH_POINTS

/* What a killed process had done, seen by its parent. */
struct progress {
    size_t committed; /* entries known to be committed */
    size_t trying;    /* entries that the transaction under way would lead to */
    size_t signed_to; /* entries whose checkpoint was published */
    struct digest root;
};

static struct progress *progress;

/* Grows a log in small transactions and signs now and then; the same every time. */
static void work(struct loghouse *house)
{
    static const size_t rows[] = {250, 4, 8, 300, 1, 17, 512, 3};

    assert_int_equal(loghouse_open(house), STATUS_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        progress->trying = house->size + rows[i];
        assert_int_equal(loghouse_commit_row(house, rows[i]), STATUS_OK);
        progress->committed = house->size;
        if (i % 2 == 1) {
            assert_int_equal(logbook_sign(house->logbook, LOGHOUSE_NOW, &house->reason), STATUS_OK);
            loghouse_check_signed(house);
            progress->root = logbook_checkpoint(house->logbook).root;
            progress->signed_to = house->size;
        }
    }
    loghouse_close(house);
}

/* After the death of another: the log opens, has all that was committed, and goes on. */
static void look(struct loghouse *house)
{
    assert_int_equal(loghouse_open(house), STATUS_OK);
    uint64_t size = logbook_size(house->logbook);
    assert_true(size == progress->committed || size == progress->trying);
    struct logbook_checkpoint last = logbook_checkpoint(house->logbook);
    assert_true(last.size >= progress->signed_to);
    if (last.size == progress->signed_to && last.size > 0)
        assert_memory_equal(&last.root, &progress->root, sizeof last.root);
    assert_int_equal(logbook_sign(house->logbook, LOGHOUSE_NOW, &house->reason), STATUS_OK);
    assert_int_equal(logbook_checkpoint(house->logbook).size, size);
    house->size = size;
    assert_int_equal(loghouse_commit_row(house, 5), STATUS_OK);
    assert_int_equal(logbook_sign(house->logbook, LOGHOUSE_NOW, &house->reason), STATUS_OK);
    loghouse_close(house);
}

/* In a child, as the crash settings are read once a process. Returns its wait status. */
static int in_child(struct loghouse *house, void (*what)(struct loghouse *), const char *crash,
                    const char *list)
{
    int result = -1;
    pid_t child = fork();

    if (child == 0) {
        if (crash != NULL)
            setenv("CONCORDAT_CRASH", crash, 1);
        if (list != NULL)
            setenv("CONCORDAT_CRASH_LIST", list, 1);
        what(house);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &result, 0), child);
    return result;
}

static const char *const points[] = {
    "logbook.open.first", "logbook.append.tile", "logbook.append.row",  "logbook.save",
    "logbook.sign.read",  "logbook.sign.signed", "logbook.sign.stored",
};

static void killed_at_every_step_it_goes_on(void **state)
{
    (void)state;
    char crash[64];

    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        int result = 1;
        for (unsigned passage = 1; result != 0; passage++) {
            struct loghouse house;
            loghouse_make(&house, 4);
            *progress = (struct progress){.committed = 0};
            snprintf(crash, sizeof crash, "%s:%u", points[i], passage);
            result = in_child(&house, work, crash, NULL);
            if (result != 0) {
                assert_true(WIFSIGNALED(result));
                assert_int_equal(WTERMSIG(result), SIGKILL);
                assert_int_equal(in_child(&house, look, NULL, NULL), 0);
            } else {
                assert_true(passage > 1);
            }
            loghouse_remove(&house);
        }
    }
}

static void the_points_are_all_there_are(void **state)
{
    (void)state;
    char path[] = "/tmp/test-log-points-XXXXXX";
    struct loghouse house;
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    close(fd);
    loghouse_make(&house, 4);
    assert_int_equal(in_child(&house, work, NULL, path), 0);
    struct byte_buffer list = support_read_file(path);
    bytes_append_u8(&list, 0);
    size_t lines = 0;
    for (size_t i = 0; i < list.size; i++)
        lines += list.data[i] == '\n';
    assert_int_equal(lines, sizeof points / sizeof points[0]);
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++)
        assert_non_null(strstr((const char *)list.data, points[i]));
    bytes_buffer_free(&list);
    unlink(path);
    loghouse_remove(&house);
}

static int share_memory(void **state)
{
    (void)state;
    progress = mmap(NULL, sizeof *progress, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return progress == MAP_FAILED ? 1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_at_every_step_it_goes_on),
        cmocka_unit_test(the_points_are_all_there_are),
    };
    return cmocka_run_group_tests_name("logbook_crash", tests, share_memory, NULL);
}

#else

int main(void)
{
    return 0; /* a release has no crash points */
}

#endif
