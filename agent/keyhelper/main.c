#include <glib.h>
#include <p11-kit/p11-kit.h>
#include <p11-kit/pkcs11.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* sealtape-keyhelper MODULE TOKEN OBJECT: the one program that talks to a token, by the module, or
 * where that is empty by those of p11-kit's. A process of its own, because PKCS#11 modules hang,
 * crash and do not survive a fork; whoever asks kills it then.
 *
 * On standard input first the PIN behind its length (one byte); answered on standard output by `+`
 * and the public point (65 bytes). Then points of 65 bytes, each answered by `=` and the shared x
 * coordinate (32 bytes). Whatever fails is `-` and one sentence with a newline, and the end: a
 * module finds a token that comes back only when it is loaded anew.
 *
 * A token locks itself after a few wrong PINs, some for good. So a wrong one is tried once, by any
 * process: the token remembers that its last PIN was wrong, and says so before it is asked. The
 * exit status is 3 then, and who asks starts no other. */

enum {
    POINT_BYTES = 65,
    SHARED_BYTES = 32,
    MOST_SLOTS = 64,
    MOST_PIN_BYTES = 255,
    WRONG_PIN = 3,
    HANG_S = 60 /* whoever asks kills it long before, unless it is dead itself */
};

typedef struct {
    CK_FUNCTION_LIST **modules;  /* NULL at the end */
    CK_FUNCTION_LIST *functions; /* of the one that has the token */
    const char *token, *object;
    uint8_t pin[MOST_PIN_BYTES];
    CK_ULONG n_pin;
    CK_SESSION_HANDLE session; /* 0: none */
    CK_OBJECT_HANDLE key;
    uint8_t point[POINT_BYTES];
    int status; /* to end with, once something has failed */
} Token;

static bool
say(char kind, const void *bytes, size_t n_bytes)
{
    return putchar(kind) != EOF && fwrite(bytes, 1, n_bytes, stdout) == n_bytes &&
           fflush(stdout) == 0;
}

G_GNUC_PRINTF(1, 2) static void complain(const char *format, ...)
{
    va_list list;
    g_autofree char *sentence = NULL;
    g_autofree char *line = NULL;

    va_start(list, format);
    sentence = g_strdup_vprintf(format, list);
    va_end(list);
    line = g_strconcat(sentence, "\n", NULL);
    (void) say('-', line, strlen(line)); /* nobody is left to be told */
}

/* What the codes that a person can do something about mean. */
static const char *
meaning_of(CK_RV code)
{
    static const struct {
        CK_RV code;
        const char *meaning;
    } rows[] = {
        {CKR_TOKEN_NOT_PRESENT,      "the token is not there"                           },
        {CKR_DEVICE_REMOVED,         "the token was removed"                            },
        {CKR_TOKEN_NOT_RECOGNIZED,   "the token is none that this module knows"         },
        {CKR_DEVICE_ERROR,           "the token failed"                                 },
        {CKR_PIN_INCORRECT,
         "the PIN is wrong; it is not tried again, so that the token does not lock"     },
        {CKR_PIN_INVALID,            "the PIN is none that the token takes"             },
        {CKR_PIN_LEN_RANGE,          "the PIN is longer or shorter than the token takes"},
        {CKR_PIN_LOCKED,             "it has locked itself after too many wrong PINs"   },
        {CKR_PIN_EXPIRED,            "the PIN has expired"                              },
        {CKR_SESSION_HANDLE_INVALID, "the token was removed or reset"                   },
        {CKR_KEY_HANDLE_INVALID,     "the key is not on the token any more"             },
        {CKR_OBJECT_HANDLE_INVALID,  "the key is not on the token any more"             },
        {CKR_MECHANISM_INVALID,      "the token does no ECDH (CKM_ECDH1_DERIVE)"        },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (rows[i].code == code)
            return rows[i].meaning;
    }
    return "the token refused";
}

static bool
check(const char *call, CK_RV code)
{
    if (code != CKR_OK)
        complain("%s (%s: 0x%lx)", meaning_of(code), call, code);
    return code == CKR_OK;
}

/* Labels are padded with spaces. */
static bool
has_label(const CK_TOKEN_INFO *info, const char *label)
{
    const size_t n_label = strlen(label);

    if (n_label > sizeof(info->label) || memcmp(info->label, label, n_label) != 0)
        return false;
    for (size_t i = n_label; i < sizeof(info->label); i++) {
        if (info->label[i] != ' ')
            return false;
    }
    return true;
}

/* Looks for the token in one module. Returns: whether it is there; `code` says why one could not
 * look. */
static bool
find_slot_in(CK_FUNCTION_LIST *module, const char *token, CK_SLOT_ID *slot, CK_RV *code)
{
    CK_SLOT_ID slots[MOST_SLOTS];
    CK_ULONG n_slots = MOST_SLOTS;

    *code = module->C_GetSlotList(CK_TRUE, slots, &n_slots);
    for (CK_ULONG i = 0; *code == CKR_OK && i < n_slots; i++) {
        CK_TOKEN_INFO info;

        if (module->C_GetTokenInfo(slots[i], &info) == CKR_OK && has_label(&info, token)) {
            *slot = slots[i];
            return true;
        }
    }
    return false;
}

static bool
find_slot(Token *self, CK_SLOT_ID *slot)
{
    CK_RV fault = CKR_OK;

    for (CK_FUNCTION_LIST **module = self->modules; *module != NULL; module++) {
        CK_RV code = CKR_OK;

        if (find_slot_in(*module, self->token, slot, &code)) {
            self->functions = *module;
            return true;
        }
        fault = code != CKR_OK ? code : fault;
    }
    if (!check("C_GetSlotList", fault))
        return false;
    complain("there is no token `%s`", self->token);
    return false;
}

/* Ends with the status that keeps who asks from starting another. */
static bool
bar(Token *self)
{
    self->status = WRONG_PIN;
    return false;
}

/* Another PIN, or the same again, must not be tried by itself-> */
static bool
may_log_in(Token *self, CK_SLOT_ID slot)
{
    const CK_FLAGS wrong = CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY;
    CK_TOKEN_INFO info = {0};

    if (!check("C_GetTokenInfo", self->functions->C_GetTokenInfo(slot, &info)))
        return false;
    if ((info.flags & CKF_USER_PIN_LOCKED) != 0) {
        complain("token `%s`: %s", self->token, meaning_of(CKR_PIN_LOCKED));
        return bar(self);
    }
    if ((info.flags & wrong) != 0) {
        complain("the last PIN that token `%s` was given was wrong; none is tried until somebody "
                 "has logged in with the right one (pkcs11-tool --login), so that it does not lock",
                 self->token);
        return bar(self);
    }
    return true;
}

static bool
log_in(Token *self, CK_SLOT_ID slot)
{
    CK_RV code = CKR_OK;

    if (!may_log_in(self, slot))
        return false;
    code = self->functions->C_Login(self->session, CKU_USER, self->pin, self->n_pin);
    explicit_bzero(self->pin, sizeof(self->pin));
    if (code == CKR_USER_ALREADY_LOGGED_IN || code == CKR_OK)
        return true;
    complain("token `%s`: %s (C_Login: 0x%lx)", self->token, meaning_of(code), code);
    if (code == CKR_PIN_INCORRECT || code == CKR_PIN_LOCKED || code == CKR_PIN_INVALID ||
        code == CKR_PIN_LEN_RANGE)
        return bar(self);
    return false;
}

/* Finds the one object of `class` with the label. */
static bool
find_object(Token *self, CK_OBJECT_CLASS class, CK_OBJECT_HANDLE *object)
{
    CK_ATTRIBUTE wanted[] = {
        {CKA_CLASS, &class,                sizeof(class)       },
        {CKA_LABEL, (void *) self->object, strlen(self->object)},
    };
    CK_OBJECT_HANDLE found[2];
    CK_ULONG n_found = 0;

    if (!check("C_FindObjectsInit", self->functions->C_FindObjectsInit(self->session, wanted, 2)))
        return false;
    if (self->functions->C_FindObjects(self->session, found, 2, &n_found) != CKR_OK)
        n_found = 0;
    (void) self->functions->C_FindObjectsFinal(self->session); /* the search is over either way */
    if (n_found != 1) {
        complain("the token has %s %s key `%s`", n_found == 0 ? "no" : "more than one",
                 class == CKO_PRIVATE_KEY ? "private" : "public", self->object);
        return false;
    }
    *object = found[0];
    return true;
}

/* The point is a DER octet string, or bare, as modules like. */
static bool
read_point(Token *self)
{
    CK_OBJECT_HANDLE public_key = 0;
    uint8_t value[POINT_BYTES + 2];
    CK_ATTRIBUTE point = {CKA_EC_POINT, value, sizeof(value)};

    if (!find_object(self, CKO_PUBLIC_KEY, &public_key) ||
        !check("C_GetAttributeValue",
               self->functions->C_GetAttributeValue(self->session, public_key, &point, 1)))
        return false;
    if (point.ulValueLen == POINT_BYTES + 2 && value[0] == 0x04 && value[1] == POINT_BYTES) {
        memcpy(self->point, value + 2, POINT_BYTES);
    } else if (point.ulValueLen == POINT_BYTES) {
        memcpy(self->point, value, POINT_BYTES);
    } else {
        complain("the key `%s` is none of P-256", self->object);
        return false;
    }
    return true;
}

static bool
open_token(Token *self)
{
    CK_SLOT_ID slot = 0;

    if (!find_slot(self, &slot) ||
        !check("C_OpenSession", self->functions->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL,
                                                               &self->session)))
        return false;
    return log_in(self, slot) && find_object(self, CKO_PRIVATE_KEY, &self->key) && read_point(self);
}

/* The value is read out and the session's object thrown away: it is of use once. */
static bool
agree(Token *self, const uint8_t point[POINT_BYTES], uint8_t shared[SHARED_BYTES])
{
    CK_ECDH1_DERIVE_PARAMS parameters = {CKD_NULL, 0, NULL, POINT_BYTES, (uint8_t *) point};
    CK_MECHANISM mechanism = {CKM_ECDH1_DERIVE, &parameters, sizeof(parameters)};
    CK_OBJECT_CLASS class = CKO_SECRET_KEY;
    CK_KEY_TYPE type = CKK_GENERIC_SECRET;
    CK_ULONG n_bytes = SHARED_BYTES;
    CK_BBOOL yes = CK_TRUE;
    CK_BBOOL no = CK_FALSE;
    CK_ATTRIBUTE wanted[] = {
        {CKA_CLASS,       &class,   sizeof(class)  },
        {CKA_KEY_TYPE,    &type,    sizeof(type)   },
        {CKA_VALUE_LEN,   &n_bytes, sizeof(n_bytes)},
        {CKA_TOKEN,       &no,      sizeof(no)     },
        {CKA_SENSITIVE,   &no,      sizeof(no)     },
        {CKA_EXTRACTABLE, &yes,     sizeof(yes)    },
    };
    CK_ATTRIBUTE value = {CKA_VALUE, shared, SHARED_BYTES};
    CK_OBJECT_HANDLE derived = 0;
    bool is_read = false;

    is_read = check("C_DeriveKey",
                    self->functions->C_DeriveKey(self->session, &mechanism, self->key, wanted,
                                                 G_N_ELEMENTS(wanted), &derived)) &&
              check("C_GetAttributeValue",
                    self->functions->C_GetAttributeValue(self->session, derived, &value, 1));
    if (derived != 0)
        (void) self->functions->C_DestroyObject(self->session, derived);
    return is_read;
}

/* One module by its path, or all that p11-kit knows on this host. Not managed by p11-kit: it would
 * write code at run time, which the opener's unit forbids. */
static bool
load(Token *self, const char *path)
{
    static CK_FUNCTION_LIST *one[2];

    if (*path == '\0') {
        self->modules = p11_kit_modules_load_and_initialize(P11_KIT_MODULE_UNMANAGED);
        if (self->modules == NULL)
            complain("p11-kit knows no module on this host: name one as module-path");
        return self->modules != NULL;
    }
    one[0] = p11_kit_module_load(path, P11_KIT_MODULE_UNMANAGED);
    if (one[0] == NULL) {
        complain("%s is no PKCS#11 module that can be loaded", path);
        return false;
    }
    self->modules = one;
    return check("C_Initialize", p11_kit_module_initialize(one[0]));
}

static bool
read_pin(Token *self)
{
    uint8_t n_pin = 0;

    if (fread(&n_pin, 1, 1, stdin) != 1 || fread(self->pin, 1, n_pin, stdin) != n_pin)
        return false;
    self->n_pin = n_pin;
    return true;
}

static bool
answer(Token *self, const uint8_t point[POINT_BYTES])
{
    uint8_t shared[SHARED_BYTES];
    bool is_told = false;

    (void) alarm(HANG_S); /* ends the program: none was set before */
    is_told = agree(self, point, shared) && say('=', shared, sizeof(shared));
    explicit_bzero(shared, sizeof(shared));
    (void) alarm(0);
    return is_told;
}

int
main(int argc, char **argv)
{
    const struct rlimit none = {0, 0};
    uint8_t point[POINT_BYTES];
    Token self = {.status = 1};

    if (argc != 4) {
        (void) fputs("sealtape-keyhelper is run by sealtape and sealtape-accessd\n", stderr);
        return 2;
    }
    if (prctl(PR_SET_DUMPABLE, 0) != 0 || setrlimit(RLIMIT_CORE, &none) != 0)
        return 1;
    /* Nothing of what is secret stays in a buffer of the C library's. */
    if (setvbuf(stdin, NULL, _IONBF, 0) != 0 || !read_pin(&self))
        return 1;
    (void) alarm(HANG_S); /* as above */
    self.token = argv[2];
    self.object = argv[3];
    if (!load(&self, argv[1]) || !open_token(&self) || !say('+', self.point, POINT_BYTES))
        return self.status;
    (void) alarm(0);
    while (fread(point, 1, sizeof(point), stdin) == sizeof(point)) {
        if (!answer(&self, point))
            return 1;
    }
    (void) p11_kit_module_finalize(self.functions); /* the program ends */
    return 0;
}
