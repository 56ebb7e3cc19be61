"""Writes random transactions into a SQLite database with a log that is kept, and says after each what SQL sees.

usage: random-writer.py DIRECTORY SETTINGS-AS-JSON

Leaves `data.db` and `data.db-wal`; prints a line of JSON for the state at the start and after each transaction:
{"frame": last frame of the log, "what": operation, "tables": [{"info": ..., "rows": [[rowid or null, value...]...]}]}
Without "info" and "rows" but with a "name" a table is as it was.
Values: null, ["i", "12"], ["r", "hex of the double"], ["t", "hex of UTF-8"], ["b", "hex"].
"""

import json
import os
import random
import sqlite3
import struct
import sys

directory, settings = sys.argv[1], json.loads(sys.argv[2])
rnd = random.Random(settings["seed"])
path = os.path.join(directory, "data.db")
db = sqlite3.connect(path, isolation_level=None)
db.text_factory = bytes
page = settings["pageSize"]
db.execute(f"PRAGMA page_size={page}")
db.execute(f"PRAGMA encoding='{settings['encoding']}'")
db.execute(f"PRAGMA auto_vacuum={settings['autoVacuum']}")
db.execute(f"PRAGMA secure_delete={settings['secureDelete']}")
db.execute("PRAGMA journal_mode=WAL")
db.execute("PRAGMA synchronous=OFF")
db.execute("PRAGMA wal_autocheckpoint=0")
# A transaction that does not fit into the cache writes frames before it commits, or is rolled back.
db.execute(f"PRAGMA cache_size={rnd.choice([5, 20, 2000])}")
db.execute("PRAGMA legacy_alter_table=OFF")

CREATES = [
    "CREATE TABLE t_alias(id INTEGER PRIMARY KEY, a TEXT, b REAL, c BLOB, d)",
    "CREATE TABLE t_plain(x, y VARCHAR(20), z NUMERIC)",
    "CREATE TABLE t_keys(v BLOB, k1 TEXT, w REAL, k2 INT, PRIMARY KEY(k2, k1)) WITHOUT ROWID",
    "CREATE TABLE t_nocase(k TEXT COLLATE NOCASE, v, PRIMARY KEY(k DESC)) WITHOUT ROWID",
    "CREATE TABLE t_computed(a INT, b AS (a * 2) VIRTUAL, c REAL AS (a + 1) STORED, d TEXT)",
    "CREATE TABLE t_desc(id INTEGER PRIMARY KEY DESC, v TEXT)",
    "CREATE TABLE t_real(r REAL PRIMARY KEY, v REAL, u) WITHOUT ROWID",
]
for sql in CREATES:
    db.execute(sql)
db.execute("CREATE TABLE other(a, b)")
db.execute("CREATE INDEX other_a ON other(a)")
db.execute("CREATE INDEX t_plain_x ON t_plain(x)")


def size():
    kind = rnd.random()
    if kind < 0.6:
        return rnd.randrange(0, 30)
    if kind < 0.85:
        return rnd.randrange(0, max(min(page, 4096) // 3, 30))
    # Overflow chains: of pages of 65,536 bytes only now and then.
    return rnd.randrange(page, page * rnd.choice([2, 3, 6])) if page <= 4096 else rnd.randrange(0, 4096 if kind < 0.985 else 3 * page)


def text(longest=None):
    length = size() if longest is None else rnd.randrange(longest)
    alphabet = rnd.choice(["ab", "abcXYZ ", "aé日😀"])
    return "".join(rnd.choice(alphabet) for _ in range(min(length, 40))) + "z" * max(0, length - 40)


def value():
    kind = rnd.randrange(10)
    if kind == 0:
        return None
    if kind < 4:
        return rnd.choice([0, 1, -1, 127, -128, 128, 32767, -32769, 2**23, -(2**31), 2**40, -(2**47), 2**47, 2**63 - 1, -(2**63), rnd.randrange(1000)])
    if kind < 6:
        return rnd.choice([0.0, -0.0, 1.0, 0.1, -2.5e300, 5e-324, 12345.0, float(2**53), 1e15, rnd.random()])
    if kind < 8:
        return text()
    return rnd.randbytes(size())


def row_id():
    kind = rnd.random()
    if kind < 0.7:
        return rnd.randrange(400)
    if kind < 0.8:
        return -rnd.randrange(400)
    return rnd.choice([2**53, 2**53 + 1, 2**53 + 3, 2**63 - 1, -(2**63), -(2**53) - 1, 2**31, 2**35, -(2**56), 2**56 + rnd.randrange(5)])


def followed():
    return [n.decode() for (n,) in db.execute("SELECT name FROM sqlite_schema WHERE type='table' AND name LIKE 't!_%' ESCAPE '!' ORDER BY name")]


def info(name):
    root = db.execute("SELECT rootpage FROM sqlite_schema WHERE name=?", (name,)).fetchone()[0]
    wr = db.execute("SELECT wr FROM pragma_table_list(?) WHERE schema='main'", (name,)).fetchone()[0]
    text_of = lambda v: v.decode() if isinstance(v, bytes) else v
    columns = [
        dict(cid=c, name=text_of(n), type=text_of(t), defaultExpression=text_of(d), primaryKey=p, hidden=h)
        for c, n, t, d, p, h in db.execute("SELECT cid, name, type, dflt_value, pk, hidden FROM pragma_table_xinfo(?)", (name,))
    ]
    index = db.execute("SELECT name FROM pragma_index_list(?) WHERE origin='pk'", (name,)).fetchone()
    cids = None
    if index is not None:
        cids = [c for (c,) in db.execute("SELECT cid FROM pragma_index_xinfo(?) WHERE cid >= 0 ORDER BY seqno", (text_of(index[0]),))]
    return dict(name=name, rootPage=root, withoutRowid=wr == 1, columns=columns, primaryKeyIndex=cids)


def shown(v):
    if v is None:
        return None
    if isinstance(v, int):
        return ["i", str(v)]
    if isinstance(v, float):
        return ["r", struct.pack(">d", v).hex()]
    return ["b" if isinstance(v, memoryview) else "t", bytes(v).hex()]


def typed_rows(i):
    stored = [c["name"] for c in i["columns"] if c["hidden"] != 2]
    quoted = ", ".join(f'"{n}", typeof("{n}")' for n in stored)
    key = "NULL" if i["withoutRowid"] else "rowid"
    for row in db.execute(f'SELECT {key}, {quoted} FROM "{i["name"]}"'):
        values = [memoryview(v) if t == b"blob" else v for v, t in zip(row[1::2], row[2::2])]
        yield [None if row[0] is None else str(row[0])] + [shown(v) for v in values]


said = {}


def say(what):
    with open(path + "-shm", "rb") as shm:
        frame = struct.unpack("=I", shm.read(20)[16:])[0]
    tables = []
    for name in followed():
        i = info(name)
        table = json.dumps(dict(info=i, rows=list(typed_rows(i))))
        tables.append(json.dumps(dict(name=name)) if said.get(name) == table else table)
        said[name] = table
    for gone in set(said) - set(followed()):
        del said[gone]
    print(f'{{"frame": {frame}, "what": {json.dumps(what)}, "tables": [{", ".join(tables)}]}}')


def columns_of(name):
    return [c["name"] for c in info(name)["columns"] if c["hidden"] == 0]


def insert(name):
    columns = columns_of(name)
    values = {c: value() for c in columns}
    for key in ("k1", "k"):
        if key in values:
            values[key] = text(8) if rnd.random() < 0.9 else text()
    if "k2" in values:
        values["k2"] = rnd.randrange(20)
    if "r" in values:
        values["r"] = rnd.choice([float(rnd.randrange(200)), rnd.random(), rnd.randrange(300)])
    if "id" in values and name.startswith("t_alias"):
        values["id"] = row_id()
    names, given = list(values), list(values.values())
    if not info(name)["withoutRowid"] and "id" not in values and rnd.random() < 0.7:
        names, given = names + ["rowid"], given + [row_id()]
    quoted = ", ".join(f'"{n}"' for n in names)
    db.execute(f'INSERT OR REPLACE INTO "{name}"({quoted}) VALUES ({", ".join("?" * len(given))})', given)


def pick(name, count):
    i = info(name)
    if i["withoutRowid"]:
        keys = [c["name"] for c in sorted(i["columns"], key=lambda c: c["primaryKey"]) if c["primaryKey"] > 0]
    else:
        keys = ["rowid"]
    rows = db.execute(f'SELECT {", ".join(keys)} FROM "{name}"').fetchall()
    rows = rnd.sample(rows, min(count, len(rows)))
    where = " AND ".join(f"{k} IS ?" for k in keys)
    return where, [[v.decode() if isinstance(v, bytes) else v for v in row] for row in rows]


def update(name, count):
    where, rows = pick(name, count)
    keys = ("k1", "k2", "k", "r", "id")
    columns = [c for c in columns_of(name) if c not in keys]
    if not columns:
        return
    for row in rows:
        column = rnd.choice(columns)
        db.execute(f'UPDATE OR REPLACE "{name}" SET "{column}" = ? WHERE {where}', [value()] + row)


def delete(name, count):
    where, rows = pick(name, count)
    for row in rows:
        db.execute(f'DELETE FROM "{name}" WHERE {where}', row)


def overwrite(name):
    """In place: the same size, other bytes."""
    for column in columns_of(name):
        where, rows = pick(name, 3)
        if column in ("id", "k", "k1", "k2", "r"):
            continue
        for row in rows:
            found = db.execute(f'SELECT "{column}", typeof("{column}") FROM "{name}" WHERE {where}', row).fetchone()
            if found is None or found[1] != b"blob" or len(found[0]) == 0:
                continue
            old = bytearray(found[0])
            at = rnd.choice([0, len(old) - 1, rnd.randrange(len(old))])
            old[at] ^= 0x55
            db.execute(f'UPDATE "{name}" SET "{column}" = ? WHERE {where}', [bytes(old)] + row)


def move_keys(name):
    i = info(name)
    if i["withoutRowid"]:
        if "k" in columns_of(name):
            db.execute(f'UPDATE OR REPLACE "{name}" SET k = upper(k) WHERE random() % 3 = 0')
        if "k2" in columns_of(name):
            db.execute(f'UPDATE OR REPLACE "{name}" SET k2 = k2 + 1 WHERE k2 % 5 = 0')
        return
    where, rows = pick(name, 3)
    for row in rows:
        db.execute(f'UPDATE OR REPLACE "{name}" SET rowid = ? WHERE {where}', [row_id()] + row)


counter = 0


def step():
    global counter
    names = followed()
    name = rnd.choice(names) if names else None
    kind = rnd.random()
    if name is None or kind < 0.02:
        counter += 1
        sql = rnd.choice(CREATES)
        old = sql.split("(")[0].split()[-1]
        db.execute(sql.replace(old, f"{old}_{counter}", 1))
        return "create"
    if kind < 0.40:
        for _ in range(rnd.choice([1, 1, 2, 5, 30])):
            insert(name)
        return f"insert {name}"
    if kind < 0.55:
        update(name, rnd.choice([1, 1, 3, 20]))
        return f"update {name}"
    if kind < 0.65:
        delete(name, rnd.choice([1, 1, 3, 20]))
        return f"delete {name}"
    if kind < 0.70:
        overwrite(name)
        return f"overwrite {name}"
    if kind < 0.75:
        move_keys(name)
        return f"move {name}"
    if kind < 0.76:
        column = rnd.choice(columns_of(name))
        if column not in ("id", "k", "k1", "k2", "r"):
            where, rows = pick(name, 1)
            for row in rows:
                db.execute(f'UPDATE "{name}" SET "{column}" = CAST(? AS TEXT) WHERE {where}', [b"a\xc3(\x00\xed\xa0\x80\xff"] + row)
        return f"invalid text {name}"
    if kind < 0.77:
        db.execute(f'DELETE FROM "{name}"')
        return f"empty {name}"
    if kind < 0.79:
        db.execute(f'DELETE FROM "{name}" WHERE random() % 2 = 0')
        return f"halve {name}"
    if kind < 0.87:
        for _ in range(rnd.choice([1, 20])):
            db.execute("INSERT INTO other VALUES (?, ?)", (value(), value()))
        if rnd.random() < 0.3:
            db.execute("DELETE FROM other WHERE random() % 2 = 0")
        return "other"
    if kind < 0.89:
        counter += 1
        default = rnd.choice(["", " DEFAULT 5", " DEFAULT 'it''s'", " DEFAULT -2.5", " DEFAULT x'0102'", " DEFAULT '7'", " DEFAULT 3.0"])
        declared = rnd.choice(["", "TEXT", "INTEGER", "REAL", "NUMERIC", "BLOB"])
        if len(columns_of(name)) < 12:
            db.execute(f'ALTER TABLE "{name}" ADD COLUMN n{counter} {declared}{default}')
        return f"add column {name}"
    if kind < 0.91:
        added = [c for c in columns_of(name) if c.startswith("n")]
        if added:
            db.execute(f'ALTER TABLE "{name}" DROP COLUMN {rnd.choice(added)}')
        return f"drop column {name}"
    if kind < 0.92:
        added = [c for c in columns_of(name) if c.startswith("n")]
        if added:
            counter += 1
            db.execute(f'ALTER TABLE "{name}" RENAME COLUMN {rnd.choice(added)} TO n{counter}')
        return f"rename column {name}"
    if kind < 0.93:
        counter += 1
        stem = "_".join(name.split("_")[:2])
        db.execute(f'ALTER TABLE "{name}" RENAME TO {stem}_{counter}')
        return f"rename {name}"
    if kind < 0.95:
        db.execute(f'DROP TABLE "{name}"')
        return f"drop {name}"
    where, rows = pick(name, 1)
    db.execute(f'UPDATE "{name}" SET rowid = rowid') if not info(name)["withoutRowid"] else None
    return f"rewrite {name}"


for name in followed():
    for _ in range(settings["rows"]):
        insert(name)
db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
say("start")
for _ in range(settings["commits"]):
    if rnd.random() < 0.02:
        db.execute("VACUUM")
        say("vacuum")
        continue
    if rnd.random() < 0.05:
        db.execute("PRAGMA incremental_vacuum(3)").fetchall()
        say("incremental vacuum")
        continue
    done = []
    db.execute("BEGIN")
    for _ in range(rnd.choice([1, 1, 1, 2, 4])):
        done.append(step())
    if rnd.random() < 0.05:
        db.execute("ROLLBACK")
        done.append("rolled back")
    else:
        db.execute("COMMIT")
    say(", ".join(done))
sys.stdout.flush()
# Closing the connection would take the log away.
os._exit(0)
