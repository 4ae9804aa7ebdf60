#include "storage/aws_request.h"

#include <string.h>

/* Names that are signed if they are sent, besides x-amz-*. */
static const char *const signed_names[] = {
    "content-md5", "content-type", "date", "if-match", "if-none-match", "range",
};

static void
on_field_free(void *data)
{
    AwsField *field = data;

    g_free(field->name);
    g_free(field->value);
    g_free(field);
}

static void
add_field(GPtrArray *fields, char *name, const char *value)
{
    AwsField *field = g_new(AwsField, 1);

    field->name = name;
    field->value = g_strdup(value);
    g_ptr_array_add(fields, field);
}

AwsRequest *
aws_request_new(const char *method, const char *host, const char *path)
{
    AwsRequest *self = g_new0(AwsRequest, 1);

    g_assert(path[0] == '/');
    self->method = g_strdup(method);
    self->host = g_strdup(host);
    self->path = g_strdup(path);
    self->query = g_ptr_array_new_with_free_func(on_field_free);
    self->headers = g_ptr_array_new_with_free_func(on_field_free);
    return self;
}

void
aws_request_add_query(AwsRequest *self, const char *name, const char *value)
{
    add_field(self->query, g_strdup(name), value);
}

void
aws_request_add_header(AwsRequest *self, const char *name, const char *value)
{
    add_field(self->headers, g_ascii_strdown(name, -1), value);
}

void
aws_request_set_header(AwsRequest *self, const char *name, const char *value)
{
    for (guint i = self->headers->len; i > 0; i--) {
        const AwsField *field = g_ptr_array_index(self->headers, i - 1);

        if (g_ascii_strcasecmp(field->name, name) == 0)
            g_ptr_array_remove_index(self->headers, i - 1);
    }
    if (value != NULL)
        aws_request_add_header(self, name, value);
}

char *
aws_request_encode(const char *text, bool keep_slash)
{
    static const char digits[] = "0123456789ABCDEF";
    GString *encoded = g_string_sized_new(strlen(text) + 16);

    for (const char *c = text; *c != '\0'; c++) {
        const unsigned byte = (unsigned char) *c;

        if (g_ascii_isalnum(*c) || strchr("-._~", *c) != NULL || (keep_slash && *c == '/')) {
            g_string_append_c(encoded, *c);
        } else {
            g_string_append_c(encoded, '%');
            g_string_append_c(encoded, digits[byte >> 4]);
            g_string_append_c(encoded, digits[byte & 15]);
        }
    }
    return g_string_free(encoded, FALSE);
}

/* By name, then by value; g_ptr_array_sort() hands over pointers to the elements. */
static int
compare_fields(gconstpointer a, gconstpointer b)
{
    const AwsField *left = *(AwsField *const *) a;
    const AwsField *right = *(AwsField *const *) b;
    const int order = strcmp(left->name, right->name);

    return order != 0 ? order : strcmp(left->value, right->value);
}

/* The order of two names is that of their encoded forms: encode first, then sort. */
static char *
encode_query(const AwsRequest *self)
{
    g_autoptr(GPtrArray) encoded = g_ptr_array_new_with_free_func(on_field_free);
    GString *query = g_string_new(NULL);

    for (guint i = 0; i < self->query->len; i++) {
        const AwsField *field = g_ptr_array_index(self->query, i);
        g_autofree char *value = aws_request_encode(field->value, false);

        add_field(encoded, aws_request_encode(field->name, false), value);
    }
    g_ptr_array_sort(encoded, compare_fields);
    for (guint i = 0; i < encoded->len; i++) {
        const AwsField *field = g_ptr_array_index(encoded, i);

        g_string_append_printf(query, "%s%s=%s", i == 0 ? "" : "&", field->name, field->value);
    }
    return g_string_free(query, FALSE);
}

char *
aws_request_target(const AwsRequest *self)
{
    g_autofree char *path = aws_request_encode(self->path, true);
    g_autofree char *query = encode_query(self);

    return g_strconcat(path, query[0] == '\0' ? NULL : "?", query, NULL);
}

static bool
is_signed(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(signed_names); i++) {
        if (strcmp(name, signed_names[i]) == 0)
            return true;
    }
    return g_str_has_prefix(name, "x-amz-");
}

/* Without spaces at both ends, runs of spaces inside as one. */
static void
append_trimmed(GString *text, const char *value)
{
    bool is_pending = false;
    const size_t start = text->len;

    for (; *value != '\0'; value++) {
        if (*value == ' ' || *value == '\t') {
            is_pending = text->len > start;
            continue;
        }
        if (is_pending)
            g_string_append_c(text, ' ');
        is_pending = false;
        g_string_append_c(text, *value);
    }
}

/* Borrowed fields in the order of their names; of equal names, in the order they were added. */
static GPtrArray *
collect_signed(const AwsRequest *self, AwsField *host)
{
    GPtrArray *fields = g_ptr_array_new();

    g_ptr_array_add(fields, host);
    for (guint i = 0; i < self->headers->len; i++) {
        AwsField *field = g_ptr_array_index(self->headers, i);
        guint place = fields->len;

        if (!is_signed(field->name))
            continue;
        while (place > 0) {
            const AwsField *before = g_ptr_array_index(fields, place - 1);

            if (strcmp(before->name, field->name) <= 0)
                break;
            place--;
        }
        g_ptr_array_insert(fields, (int) place, field);
    }
    return fields;
}

char *
aws_request_canonical(const AwsRequest *self, char **signed_headers)
{
    AwsField host = {(char *) "host", self->host};
    g_autoptr(GPtrArray) fields = collect_signed(self, &host);
    g_autofree char *path = aws_request_encode(self->path, true);
    g_autofree char *query = encode_query(self);
    GString *names = g_string_new(NULL);
    GString *text = g_string_new(NULL);

    g_string_append_printf(text, "%s\n%s\n%s\n", self->method, path, query);
    for (guint i = 0; i < fields->len; i++) {
        const AwsField *field = g_ptr_array_index(fields, i);
        const AwsField *before = i == 0 ? NULL : g_ptr_array_index(fields, i - 1);
        const bool repeats = before != NULL && strcmp(before->name, field->name) == 0;

        if (repeats) {
            g_string_truncate(text, text->len - 1);
            g_string_append_c(text, ',');
        } else {
            g_string_append_printf(text, "%s:", field->name);
            g_string_append_printf(names, "%s%s", i == 0 ? "" : ";", field->name);
        }
        append_trimmed(text, field->value);
        g_string_append_c(text, '\n');
    }
    g_string_append_printf(text, "\n%s\n%s", names->str, self->payload_sha256);
    *signed_headers = g_string_free(names, FALSE);
    return g_string_free(text, FALSE);
}

void
aws_request_free(AwsRequest *self)
{
    if (self == NULL)
        return;
    g_free(self->method);
    g_free(self->host);
    g_free(self->path);
    g_free(self->payload_sha256);
    g_ptr_array_unref(self->query);
    g_ptr_array_unref(self->headers);
    g_free(self);
}
