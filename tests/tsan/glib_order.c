/* Preloaded into programs under ThreadSanitizer: tells it of the order that GLib makes.
 *
 * Debian's GLib is not instrumented, so that its locks, queues and callbacks order nothing in the
 * eyes of ThreadSanitizer, and everything they protect would look like a race. Each function here
 * stands before GLib's own and adds what that guarantees: what was done before the one call happens
 * before what follows the other. Nothing is claimed that GLib does not promise. */
#include <dlfcn.h>
#include <gio/gio.h>
#include <sanitizer/tsan_interface.h>

/* GLib's function of that name. Looked up each time: dlsym() may be called from many threads. */
#define REAL(name) ((__typeof__(&name)) dlsym(RTLD_NEXT, #name))

#define EXPORT __attribute__((visibility("default")))

/* --- locks: an unlock happens before the next lock --- */

#define LOCKS(type, lock, unlock)                                                                  \
    EXPORT void lock(type *self)                                                                   \
    {                                                                                              \
        REAL(lock)(self);                                                                          \
        __tsan_acquire(self);                                                                      \
    }                                                                                              \
    EXPORT void unlock(type *self)                                                                 \
    {                                                                                              \
        __tsan_release(self);                                                                      \
        REAL(unlock)(self);                                                                        \
    }

#define TRIES(type, trylock)                                                                       \
    EXPORT gboolean trylock(type *self)                                                            \
    {                                                                                              \
        const gboolean has_lock = REAL(trylock)(self);                                             \
        if (has_lock)                                                                              \
            __tsan_acquire(self);                                                                  \
        return has_lock;                                                                           \
    }

LOCKS(GMutex, g_mutex_lock, g_mutex_unlock)
TRIES(GMutex, g_mutex_trylock)
LOCKS(GRecMutex, g_rec_mutex_lock, g_rec_mutex_unlock)
TRIES(GRecMutex, g_rec_mutex_trylock)
LOCKS(GRWLock, g_rw_lock_writer_lock, g_rw_lock_writer_unlock)
LOCKS(GRWLock, g_rw_lock_reader_lock, g_rw_lock_reader_unlock)

EXPORT void
g_cond_wait(GCond *cond, GMutex *mutex)
{
    __tsan_release(mutex);
    REAL(g_cond_wait)(cond, mutex);
    __tsan_acquire(mutex);
}

EXPORT gboolean
g_cond_wait_until(GCond *cond, GMutex *mutex, gint64 end_time)
{
    __tsan_release(mutex);
    const gboolean was_signalled = REAL(g_cond_wait_until)(cond, mutex, end_time);
    __tsan_acquire(mutex);
    return was_signalled;
}

/* --- queues: a push happens before the pop --- */

EXPORT void
g_async_queue_push(GAsyncQueue *queue, gpointer data)
{
    __tsan_release(queue);
    REAL(g_async_queue_push)(queue, data);
}

EXPORT gpointer
g_async_queue_pop(GAsyncQueue *queue)
{
    gpointer data = REAL(g_async_queue_pop)(queue);
    __tsan_acquire(queue);
    return data;
}

EXPORT gpointer
g_async_queue_try_pop(GAsyncQueue *queue)
{
    gpointer data = REAL(g_async_queue_try_pop)(queue);
    __tsan_acquire(queue);
    return data;
}

EXPORT gpointer
g_async_queue_timeout_pop(GAsyncQueue *queue, guint64 timeout)
{
    gpointer data = REAL(g_async_queue_timeout_pop)(queue, timeout);
    __tsan_acquire(queue);
    return data;
}

EXPORT void
g_async_queue_unref(GAsyncQueue *queue)
{
    __tsan_release(queue);
    __tsan_acquire(queue);
    REAL(g_async_queue_unref)(queue);
}

/* --- main loops: what adds a callback happens before the callback --- */

typedef struct {
    GSourceFunc function;
    gpointer data;
    GDestroyNotify notify;
} Call;

static Call *
call_new(GSourceFunc function, gpointer data, GDestroyNotify notify)
{
    Call *call = g_new(Call, 1);

    *call = (Call){function, data, notify};
    __tsan_release(call);
    return call;
}

static gboolean
run_call(gpointer data)
{
    Call *call = data;

    __tsan_acquire(call);
    return call->function(call->data);
}

static void
end_call(gpointer data)
{
    Call *call = data;

    __tsan_acquire(call);
    if (call->notify != NULL)
        call->notify(call->data);
    g_free(call);
}

EXPORT guint
g_idle_add_full(gint priority, GSourceFunc function, gpointer data, GDestroyNotify notify)
{
    return REAL(g_idle_add_full)(priority, run_call, call_new(function, data, notify), end_call);
}

EXPORT guint
g_idle_add(GSourceFunc function, gpointer data)
{
    return g_idle_add_full(G_PRIORITY_DEFAULT_IDLE, function, data, NULL);
}

EXPORT void
g_main_context_invoke_full(GMainContext *context, gint priority, GSourceFunc function,
                           gpointer data, GDestroyNotify notify)
{
    REAL(g_main_context_invoke_full)
    (context, priority, run_call, call_new(function, data, notify), end_call);
}

EXPORT void
g_main_context_invoke(GMainContext *context, GSourceFunc function, gpointer data)
{
    g_main_context_invoke_full(context, G_PRIORITY_DEFAULT, function, data, NULL);
}

/* Of a source made by hand, whose function is a plain GSourceFunc: only those of idle sources. */
EXPORT guint
g_source_attach(GSource *source, GMainContext *context)
{
    __tsan_release(source);
    return REAL(g_source_attach)(source, context);
}

/* --- pools and tasks: what hands over a job happens before it, and it before what takes the result
 */

typedef struct {
    GFunc function;
    gpointer data;
    GThreadPool *pool;
} Pool;

static void
run_job(gpointer job, gpointer data)
{
    Pool *pool = data;

    __tsan_acquire(pool->pool);
    pool->function(job, pool->data);
    __tsan_release(pool->pool);
}

EXPORT GThreadPool *
g_thread_pool_new(GFunc function, gpointer data, gint max_threads, gboolean is_exclusive,
                  GError **error)
{
    Pool *pool = g_new(Pool, 1); /* lives as long as the process: a test's */

    *pool = (Pool){function, data, NULL};
    pool->pool = REAL(g_thread_pool_new)(run_job, pool, max_threads, is_exclusive, error);
    return pool->pool;
}

EXPORT gboolean
g_thread_pool_push(GThreadPool *pool, gpointer data, GError **error)
{
    __tsan_release(pool);
    return REAL(g_thread_pool_push)(pool, data, error);
}

EXPORT void
g_thread_pool_free(GThreadPool *pool, gboolean is_immediate, gboolean waits)
{
    if (waits)
        __tsan_acquire(pool);
    REAL(g_thread_pool_free)(pool, is_immediate, waits);
}

static GQuark
task_function_quark(void)
{
    return g_quark_from_static_string("tsan-task-function");
}

static void
run_task(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    GTaskThreadFunc function =
        (GTaskThreadFunc) g_object_get_qdata(G_OBJECT(task), task_function_quark());

    __tsan_acquire(task);
    function(task, source, data, cancellable);
}

EXPORT void
g_task_run_in_thread(GTask *task, GTaskThreadFunc function)
{
    g_object_set_qdata(G_OBJECT(task), task_function_quark(), (gpointer) function);
    __tsan_release(task);
    REAL(g_task_run_in_thread)(task, run_task);
}

EXPORT void
g_task_return_boolean(GTask *task, gboolean result)
{
    __tsan_release(task);
    REAL(g_task_return_boolean)(task, result);
}

EXPORT void
g_task_return_error(GTask *task, GError *error)
{
    __tsan_release(task);
    REAL(g_task_return_error)(task, error);
}

EXPORT gboolean
g_task_propagate_boolean(GTask *task, GError **error)
{
    __tsan_acquire(task);
    return REAL(g_task_propagate_boolean)(task, error);
}

/* --- counted references: every release happens before the last one frees --- */

EXPORT void
g_bytes_unref(GBytes *bytes)
{
    if (bytes != NULL) {
        __tsan_release(bytes);
        __tsan_acquire(bytes);
    }
    REAL(g_bytes_unref)(bytes);
}

EXPORT void
g_atomic_rc_box_release_full(gpointer box, GDestroyNotify clear)
{
    __tsan_release(box);
    __tsan_acquire(box);
    REAL(g_atomic_rc_box_release_full)(box, clear);
}

EXPORT void(g_once_init_leave)(volatile void *location, gsize result)
{
    __tsan_release((void *) location);
    ((void (*)(volatile void *, gsize)) dlsym(RTLD_NEXT, "g_once_init_leave"))(location, result);
}
