-- Who outside is told of what happens, made from the log by its own reader, and what became of each telling. Forgotten and
-- made again from the log it is the same, but for what was told already.
CREATE SCHEMA hook;

CREATE TABLE hook.endpoint (
    webhook uuid PRIMARY KEY,
    organization bigint NOT NULL,
    url text NOT NULL,
    -- Separated by spaces; `*` for all.
    types text NOT NULL,
    -- As the event has it: sealed for the organization.
    secret text NOT NULL,
    -- The one before, which signs too for a while.
    previous text,
    previous_until timestamptz,
    enabled boolean NOT NULL DEFAULT true,
    -- Only what comes after this position is told.
    since bigint NOT NULL
);
CREATE INDEX endpoint_organization ON hook.endpoint (organization);

CREATE TABLE hook.delivery (
    webhook uuid NOT NULL REFERENCES hook.endpoint ON DELETE CASCADE,
    -- The event's id; also what the receiver knows a repeat by.
    event uuid NOT NULL,
    position bigint NOT NULL,
    type text NOT NULL,
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'delivered', 'failed')),
    -- How often it was tried since it was last asked for.
    attempts integer NOT NULL DEFAULT 0,
    due timestamptz NOT NULL DEFAULT now(),
    -- Whose it is for so long; nobody else tries meanwhile.
    claim uuid,
    claimed_until timestamptz,
    -- What the last answer was, or why there was none.
    answered integer,
    problem text,
    tried_at timestamptz,
    ended_at timestamptz,
    PRIMARY KEY (webhook, event)
);
CREATE INDEX delivery_due ON hook.delivery (webhook, due) WHERE status = 'pending';
CREATE INDEX delivery_claimed ON hook.delivery (webhook) WHERE claimed_until IS NOT NULL;
CREATE INDEX delivery_position ON hook.delivery (webhook, position);
CREATE INDEX delivery_ended ON hook.delivery (ended_at) WHERE status <> 'pending';

GRANT USAGE ON SCHEMA hook TO signalbox_append;
GRANT SELECT, INSERT, UPDATE, DELETE ON hook.endpoint, hook.delivery TO signalbox_append;
