-- What boxes told the centre of clients that were stopped. Number and time are the box's own: its
-- numbers begin anew when its log was lost.
CREATE TABLE violations (
    terminal INTEGER NOT NULL REFERENCES terminals (id),
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (terminal, at, number)
) STRICT, WITHOUT ROWID;
