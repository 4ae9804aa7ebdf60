#include <dlfcn.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <p11-kit/pkcs11.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A PKCS#11 module for tests: SoftHSM, with what SoftHSM does not do. In the folder that
 * TOKEN_FOLDER names, a file `hangs` keeps C_DeriveKey from ever coming back, `gone` pulls the
 * token out, and after three wrong PINs the token locks itself. `calls` has a line for each C_Login
 * and C_DeriveKey that came in. */

#define SOFTHSM     "/usr/lib/softhsm/libsofthsm2.so"
#define MOST_WRONG  3
#define CALL_LOGIN  "C_Login\n"
#define CALL_DERIVE "C_DeriveKey\n"

static CK_FUNCTION_LIST functions;
static CK_FUNCTION_LIST *soft;

static char *
path_of(const char *name)
{
    return g_build_filename(g_getenv("TOKEN_FOLDER"), name, NULL);
}

static gboolean
is_told(const char *name)
{
    g_autofree char *path = path_of(name);

    return g_file_test(path, G_FILE_TEST_EXISTS);
}

static void
note(const char *name, const char *line)
{
    g_autofree char *path = path_of(name);
    FILE *file = g_fopen(path, "ae");

    g_assert(file != NULL && fputs(line, file) >= 0 && fclose(file) == 0);
}

static size_t
count_wrong(void)
{
    g_autofree char *path = path_of("wrong");
    g_autofree char *text = NULL;
    gsize n_text = 0;

    return g_file_get_contents(path, &text, &n_text, NULL) ? n_text : 0;
}

static CK_RV
get_slot_list(CK_BBOOL present, CK_SLOT_ID *slots, CK_ULONG *n_slots)
{
    if (!is_told("gone"))
        return soft->C_GetSlotList(present, slots, n_slots);
    *n_slots = 0;
    return CKR_OK;
}

static CK_RV
get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
    const CK_RV code = soft->C_GetTokenInfo(slot, info);

    if (code == CKR_OK && count_wrong() >= MOST_WRONG)
        info->flags |= CKF_USER_PIN_LOCKED;
    return code;
}

static CK_RV
log_in(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR *pin, CK_ULONG n_pin)
{
    CK_RV code = CKR_PIN_LOCKED;

    note("calls", CALL_LOGIN);
    if (count_wrong() >= MOST_WRONG)
        return code;
    code = soft->C_Login(session, user, pin, n_pin);
    if (code == CKR_PIN_INCORRECT)
        note("wrong", "x");
    return code;
}

static CK_RV
derive_key(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE base,
           CK_ATTRIBUTE *wanted, CK_ULONG n_wanted, CK_OBJECT_HANDLE *key)
{
    note("calls", CALL_DERIVE);
    while (is_told("hangs"))
        pause();
    if (is_told("gone"))
        return CKR_DEVICE_REMOVED;
    return soft->C_DeriveKey(session, mechanism, base, wanted, n_wanted, key);
}

CK_RV __attribute__((visibility("default"))) C_GetFunctionList(CK_FUNCTION_LIST **list)
{
    void *module = dlopen(SOFTHSM, RTLD_NOW | RTLD_LOCAL);
    CK_RV (*get)(CK_FUNCTION_LIST **) = NULL;

    /* What dlsym() gives is a function here, which ISO C can not say. */
    if (module != NULL)
        *(void **) &get = dlsym(module, "C_GetFunctionList");
    if (get == NULL || get(&soft) != CKR_OK)
        return CKR_GENERAL_ERROR;
    functions = *soft;
    functions.C_GetSlotList = get_slot_list;
    functions.C_GetTokenInfo = get_token_info;
    functions.C_Login = log_in;
    functions.C_DeriveKey = derive_key;
    *list = &functions;
    return CKR_OK;
}
