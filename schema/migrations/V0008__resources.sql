-- What sagas meant to make outside, and what became of it; made from the log, and to be made again from it.
CREATE TABLE saga.resource (
    kind text NOT NULL,
    name text NOT NULL,
    instance text,
    generation integer,
    org_id bigint,
    saga text NOT NULL,
    step text NOT NULL,
    state text NOT NULL CHECK (state IN ('intended', 'present', 'deleting', 'gone')),
    keeps boolean NOT NULL,
    intended_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    observed_at timestamptz,
    until timestamptz,
    position bigint NOT NULL,
    PRIMARY KEY (kind, name)
);
CREATE INDEX resource_saga ON saga.resource (saga);
CREATE INDEX resource_instance ON saga.resource (instance);

GRANT SELECT, INSERT, UPDATE, DELETE ON saga.resource TO signalbox_append;
