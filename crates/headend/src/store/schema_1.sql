-- Times are unix seconds. Chip ids are the 64-bit number as SQLite's signed integer.
CREATE TABLE settings (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;

CREATE TABLE ca_systems (
    ca_system_id INTEGER PRIMARY KEY,
    -- Every event up to this one has gone to the MUX of this CA system.
    sent_through INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE services (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE product_services (
    product INTEGER NOT NULL REFERENCES products (id),
    service INTEGER NOT NULL REFERENCES services (id),
    PRIMARY KEY (product, service)
) STRICT, WITHOUT ROWID;
-- A package entitles to its members. Members are plain products, never packages.
CREATE TABLE product_members (
    product INTEGER NOT NULL REFERENCES products (id),
    member INTEGER NOT NULL REFERENCES products (id),
    PRIMARY KEY (product, member)
) STRICT, WITHOUT ROWID;

CREATE TABLE terminals (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    chip_id INTEGER NOT NULL UNIQUE,
    preferred_ca_system INTEGER NOT NULL REFERENCES ca_systems (ca_system_id),
    revoked INTEGER NOT NULL DEFAULT 0,
    emm_counter INTEGER NOT NULL DEFAULT 1
) STRICT;

-- A group shares one K2 per generation; expelling a member raises the generation.
CREATE TABLE groups (
    ca_system_id INTEGER NOT NULL REFERENCES ca_systems (ca_system_id),
    group_id INTEGER NOT NULL,
    generation INTEGER NOT NULL DEFAULT 1,
    emm_counter INTEGER NOT NULL DEFAULT 1,
    -- Indices are never used twice: an expelled member's bit stays clear for good.
    next_member INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (ca_system_id, group_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE memberships (
    ca_system_id INTEGER NOT NULL,
    group_id INTEGER NOT NULL,
    member_index INTEGER NOT NULL,
    terminal INTEGER NOT NULL REFERENCES terminals (id),
    PRIMARY KEY (ca_system_id, group_id, member_index),
    UNIQUE (ca_system_id, terminal),
    FOREIGN KEY (ca_system_id, group_id) REFERENCES groups (ca_system_id, group_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE entitlements (
    terminal INTEGER NOT NULL REFERENCES terminals (id),
    product INTEGER NOT NULL REFERENCES products (id),
    valid_from INTEGER NOT NULL,
    valid_until INTEGER NOT NULL,
    PRIMARY KEY (terminal, product)
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind INTEGER NOT NULL,
    terminal INTEGER NOT NULL REFERENCES terminals (id),
    product INTEGER,
    at INTEGER NOT NULL
) STRICT;
