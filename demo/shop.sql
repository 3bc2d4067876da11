-- One of each kind of column that shops have, and each kind of trouble that comes with it.
drop schema if exists public cascade;
create schema public;

create table customers (
    id         bigint primary key,
    account    uuid not null,
    email      text,
    full_name  text not null,
    phone      varchar(32),
    vip        boolean not null,
    birthday   date,
    language   char(2) not null,
    attributes jsonb not null,
    tags       text[],
    created_at timestamptz not null,
    updated_at timestamptz not null
);

create table orders (
    id            uuid primary key,
    number        integer not null,
    customer_id   bigint not null references customers,
    email         text,
    status        text not null,
    total         numeric(12, 4) not null,
    tax_rate      numeric,
    currency      char(3) not null,
    gift          boolean,
    skus          text[] not null,
    quantities    integer[] not null,
    shipping      jsonb,
    weight_kg     double precision,
    deliver_on    date,
    placed_at     timestamptz not null,
    updated_at    timestamptz not null
);

create table refunds (
    id         bigint primary key,
    order_id   uuid not null references orders,
    customer_id bigint not null references customers,
    email      text,
    amount     numeric(12, 4) not null,
    reason     text,
    partial    boolean not null,
    items      smallint not null,
    booked_at  timestamp not null,
    updated_at timestamptz not null
);
