#pragma once

#include "storage/catalogue.h"
#include "storage/catalogue_schema.h"
#include "storage/durable_file.h"
#include "storage/sql_database.h"

#include <sys/types.h>

/* What the catalogue's own files share. */
struct Catalogue {
    char *path;
    CatalogueAccess access;
    SqlDatabase *database;
    dev_t device; /* of the file that is open: another may have taken its place */
    ino_t inode;
    Fd lock; /* while changes are under way */
};
