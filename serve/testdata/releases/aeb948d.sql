--
-- PostgreSQL database dump
--


-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: allocations; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.allocations (
    id bigint NOT NULL,
    uuid text NOT NULL COLLATE pg_catalog."C",
    version bigint NOT NULL,
    name text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    owner text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    resource_class text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    candidate_nodes text,
    traits text,
    extra text,
    node_uuid text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    state text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    last_error text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    updated_at bigint DEFAULT 0 NOT NULL,
    secrets bytea
);


--
-- Name: allocations_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.allocations ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.allocations_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: bios_settings; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.bios_settings (
    node_uuid text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    value text NOT NULL COLLATE pg_catalog."C",
    registry text,
    created_at bigint NOT NULL,
    updated_at bigint DEFAULT 0 NOT NULL
);


--
-- Name: blobs; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.blobs (
    key text NOT NULL COLLATE pg_catalog."C",
    media_type text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    data bytea NOT NULL,
    until bigint NOT NULL,
    created_at bigint NOT NULL
);


--
-- Name: bmc_leases; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.bmc_leases (
    address text NOT NULL COLLATE pg_catalog."C",
    owner text NOT NULL COLLATE pg_catalog."C",
    until bigint NOT NULL
)
WITH (fillfactor='70');


--
-- Name: capacities; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.capacities (
    host text NOT NULL COLLATE pg_catalog."C",
    resource text NOT NULL COLLATE pg_catalog."C",
    total bigint NOT NULL,
    reserved bigint NOT NULL,
    ratio bigint NOT NULL,
    max_unit bigint NOT NULL,
    step_size bigint NOT NULL,
    used bigint DEFAULT 0 NOT NULL,
    CONSTRAINT capacities_used_check CHECK ((used >= 0))
);


--
-- Name: chassis; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.chassis (
    id bigint NOT NULL,
    uuid text NOT NULL COLLATE pg_catalog."C",
    version bigint NOT NULL,
    description text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    extra text,
    created_at bigint NOT NULL,
    updated_at bigint DEFAULT 0 NOT NULL,
    secrets bytea
);


--
-- Name: chassis_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.chassis ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.chassis_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: claims; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.claims (
    guest text NOT NULL COLLATE pg_catalog."C",
    host text NOT NULL COLLATE pg_catalog."C",
    resource text NOT NULL COLLATE pg_catalog."C",
    amount bigint NOT NULL,
    created_at bigint NOT NULL
);


--
-- Name: conductors; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.conductors (
    hostname text NOT NULL COLLATE pg_catalog."C",
    grp text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    drivers text NOT NULL COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    process text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C"
)
WITH (fillfactor='70');


--
-- Name: deploy_templates; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.deploy_templates (
    id bigint NOT NULL,
    uuid text NOT NULL COLLATE pg_catalog."C",
    version bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    description text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    steps text,
    extra text,
    created_at bigint NOT NULL,
    updated_at bigint DEFAULT 0 NOT NULL,
    secrets bytea
);


--
-- Name: deploy_templates_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.deploy_templates ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.deploy_templates_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: dhcp_leases; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.dhcp_leases (
    network text NOT NULL COLLATE pg_catalog."C",
    mac text NOT NULL COLLATE pg_catalog."C",
    address bigint NOT NULL,
    hostname text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    until bigint NOT NULL
);


--
-- Name: encryption_keys; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.encryption_keys (
    id text NOT NULL COLLATE pg_catalog."C",
    check_value text NOT NULL COLLATE pg_catalog."C",
    created_at bigint NOT NULL
);


--
-- Name: event_epoch; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.event_epoch (
    shift bigint NOT NULL
);


--
-- Name: events; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.events (
    id bigint NOT NULL,
    at bigint NOT NULL,
    type text NOT NULL COLLATE pg_catalog."C",
    node text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    data text
);


--
-- Name: firmware_components; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.firmware_components (
    node_uuid text NOT NULL COLLATE pg_catalog."C",
    component text NOT NULL COLLATE pg_catalog."C",
    initial_version text NOT NULL COLLATE pg_catalog."C",
    current_version text NOT NULL COLLATE pg_catalog."C",
    last_version_flashed text NOT NULL COLLATE pg_catalog."C",
    vendor text NOT NULL COLLATE pg_catalog."C",
    model text NOT NULL COLLATE pg_catalog."C",
    serial_number text NOT NULL COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    updated_at bigint DEFAULT 0 NOT NULL
);


--
-- Name: flavors; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.flavors (
    id bigint NOT NULL,
    uuid text NOT NULL COLLATE pg_catalog."C",
    version bigint NOT NULL,
    resource_class text NOT NULL COLLATE pg_catalog."C",
    resources text,
    arch text NOT NULL,
    boot_mode text NOT NULL,
    required_traits text,
    provided_traits text,
    inherit_traits text,
    fallback_for text,
    created_at bigint NOT NULL,
    updated_at bigint DEFAULT 0 NOT NULL,
    secrets bytea
);


--
-- Name: flavors_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.flavors ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.flavors_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: goose_db_version; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.goose_db_version (
    id integer NOT NULL,
    version_id bigint NOT NULL,
    is_applied boolean NOT NULL,
    tstamp timestamp without time zone DEFAULT now() NOT NULL
);


--
-- Name: goose_db_version_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.goose_db_version ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.goose_db_version_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: group_members; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.group_members (
    name text NOT NULL COLLATE pg_catalog."C",
    host text NOT NULL COLLATE pg_catalog."C",
    guest text NOT NULL COLLATE pg_catalog."C"
);


--
-- Name: guest_bmcs; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.guest_bmcs (
    id bigint NOT NULL,
    uuid text NOT NULL COLLATE pg_catalog."C",
    version bigint NOT NULL,
    port bigint NOT NULL,
    username text NOT NULL,
    boot text,
    created_at bigint NOT NULL,
    updated_at bigint DEFAULT 0 NOT NULL,
    secrets bytea
);


--
-- Name: guest_bmcs_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.guest_bmcs ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.guest_bmcs_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: hypervisors; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.hypervisors (
    id bigint NOT NULL,
    uuid text NOT NULL COLLATE pg_catalog."C",
    version bigint NOT NULL,
    type text NOT NULL COLLATE pg_catalog."C",
    uri text NOT NULL,
    ratios text,
    reserved text,
    pools text,
    networks text,
    cpu text,
    on_host_failure text NOT NULL,
    autostart boolean NOT NULL,
    disabled boolean NOT NULL,
    draining boolean NOT NULL,
    state text NOT NULL,
    state_reason text NOT NULL,
    host_uuid text NOT NULL COLLATE pg_catalog."C",
    facts text,
    missed bigint NOT NULL,
    failures bigint NOT NULL,
    last_seen_at bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint DEFAULT 0 NOT NULL,
    secrets bytea,
    fence text DEFAULT ''::text NOT NULL,
    fence_reason text DEFAULT ''::text NOT NULL,
    down_since bigint DEFAULT 0 NOT NULL
);


--
-- Name: hypervisors_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.hypervisors ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.hypervisors_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: inspection_rules; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.inspection_rules (
    id bigint NOT NULL,
    uuid text NOT NULL COLLATE pg_catalog."C",
    version bigint NOT NULL,
    description text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    priority bigint DEFAULT 0 NOT NULL,
    phase text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    sensitive boolean DEFAULT false NOT NULL,
    conditions text,
    actions text,
    created_at bigint NOT NULL,
    updated_at bigint DEFAULT 0 NOT NULL,
    secrets bytea
);


--
-- Name: inspection_rules_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.inspection_rules ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.inspection_rules_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: node_history; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.node_history (
    id bigint NOT NULL,
    uuid text NOT NULL COLLATE pg_catalog."C",
    node_uuid text NOT NULL COLLATE pg_catalog."C",
    turn bigint NOT NULL,
    created_at bigint NOT NULL,
    severity text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    event_type text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    event text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    requester text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    conductor text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    state text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    target_provision_state text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    duration bigint DEFAULT 0 NOT NULL,
    project text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C"
);


--
-- Name: node_history_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.node_history ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.node_history_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: node_inventory; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.node_inventory (
    node_uuid text NOT NULL COLLATE pg_catalog."C",
    inventory text NOT NULL COLLATE pg_catalog."C",
    plugin text,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL
);


--
-- Name: nodes; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.nodes (
    id bigint NOT NULL,
    uuid text NOT NULL COLLATE pg_catalog."C",
    version bigint NOT NULL,
    name text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    driver text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    driver_info text,
    properties text,
    extra text,
    instance_info text,
    instance_uuid text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    instance_name text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    chassis_uuid text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    power_state text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    target_power_state text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    provision_state text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    target_provision_state text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    provision_updated_at bigint DEFAULT 0 NOT NULL,
    last_error text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    reservation text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    maintenance boolean DEFAULT false NOT NULL,
    maintenance_reason text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    fault text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    console_enabled boolean DEFAULT false NOT NULL,
    boot_mode text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    secure_boot boolean,
    raid_config text,
    target_raid_config text,
    clean_step text,
    deploy_step text,
    service_step text,
    inspection_started_at bigint DEFAULT 0 NOT NULL,
    inspection_finished_at bigint DEFAULT 0 NOT NULL,
    resource_class text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    conductor_group text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    conductor text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    automated_clean boolean,
    protected boolean DEFAULT false NOT NULL,
    protected_reason text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    owner text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    lessee text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    description text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    allocation_uuid text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    retired boolean DEFAULT false NOT NULL,
    retired_reason text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    network_data text,
    shard text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    parent_node text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    disable_power_off boolean DEFAULT false NOT NULL,
    bios_interface text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    boot_interface text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    console_interface text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    deploy_interface text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    firmware_interface text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    inspect_interface text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    management_interface text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    network_interface text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    power_interface text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    raid_interface text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    rescue_interface text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    storage_interface text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    vendor_interface text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    driver_internal_info text,
    agent text,
    boot text,
    evidence text,
    created_at bigint NOT NULL,
    updated_at bigint DEFAULT 0 NOT NULL,
    secrets bytea,
    traits text,
    health text DEFAULT ''::text NOT NULL
)
WITH (fillfactor='70');


--
-- Name: nodes_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.nodes ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.nodes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: operation_nodes; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.operation_nodes (
    node_uuid text NOT NULL COLLATE pg_catalog."C",
    lane text NOT NULL COLLATE pg_catalog."C",
    operation text NOT NULL COLLATE pg_catalog."C"
);


--
-- Name: operation_steps; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.operation_steps (
    operation text NOT NULL COLLATE pg_catalog."C",
    "position" bigint NOT NULL,
    interface text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    step text NOT NULL COLLATE pg_catalog."C",
    args text,
    priority bigint DEFAULT 0 NOT NULL,
    abortable boolean DEFAULT false NOT NULL,
    source text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    state text NOT NULL COLLATE pg_catalog."C",
    attempt bigint DEFAULT 0 NOT NULL,
    secrets bytea,
    node_uuid text DEFAULT ''::text NOT NULL
);


--
-- Name: operations; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.operations (
    id bigint NOT NULL,
    uuid text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    node_uuid text NOT NULL COLLATE pg_catalog."C",
    lane text NOT NULL COLLATE pg_catalog."C",
    params text,
    phase text NOT NULL COLLATE pg_catalog."C",
    "position" text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    slot bigint DEFAULT 0 NOT NULL,
    attempt bigint DEFAULT 1 NOT NULL,
    tries bigint DEFAULT 0 NOT NULL,
    due_at bigint NOT NULL,
    step_since bigint NOT NULL,
    phase_since bigint NOT NULL,
    memory text,
    agent_fingerprint text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    note text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    error text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    outcome text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    requester text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    conductor text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    claim text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    woken boolean DEFAULT false NOT NULL,
    started_at bigint NOT NULL,
    ended_at bigint DEFAULT 0 NOT NULL,
    secrets bytea,
    project text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C"
)
WITH (fillfactor='70');


--
-- Name: operations_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.operations ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.operations_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: portgroups; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.portgroups (
    id bigint NOT NULL,
    uuid text NOT NULL COLLATE pg_catalog."C",
    version bigint NOT NULL,
    node_uuid text NOT NULL COLLATE pg_catalog."C",
    address text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    name text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    mode text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    properties text,
    standalone_ports_supported boolean DEFAULT true NOT NULL,
    physical_network text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    category text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    dynamic_portgroup boolean DEFAULT false NOT NULL,
    extra text,
    internal_info text,
    created_at bigint NOT NULL,
    updated_at bigint DEFAULT 0 NOT NULL,
    secrets bytea
);


--
-- Name: portgroups_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.portgroups ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.portgroups_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: ports; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.ports (
    id bigint NOT NULL,
    uuid text NOT NULL COLLATE pg_catalog."C",
    version bigint NOT NULL,
    node_uuid text NOT NULL COLLATE pg_catalog."C",
    address text NOT NULL COLLATE pg_catalog."C",
    name text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    description text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    pxe_enabled boolean DEFAULT true NOT NULL,
    local_link_connection text,
    physical_network text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    portgroup_uuid text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    is_smartnic boolean DEFAULT false NOT NULL,
    extra text,
    internal_info text,
    created_at bigint NOT NULL,
    updated_at bigint DEFAULT 0 NOT NULL,
    secrets bytea,
    vendor text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    category text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    available_for_dynamic_portgroup boolean DEFAULT true NOT NULL
);


--
-- Name: ports_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.ports ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.ports_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: runbooks; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.runbooks (
    id bigint NOT NULL,
    uuid text NOT NULL COLLATE pg_catalog."C",
    version bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    description text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    steps text,
    disable_ramdisk boolean DEFAULT false NOT NULL,
    public boolean DEFAULT false NOT NULL,
    owner text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    traits text,
    extra text,
    created_at bigint NOT NULL,
    updated_at bigint DEFAULT 0 NOT NULL,
    secrets bytea
);


--
-- Name: runbooks_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.runbooks ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.runbooks_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: volume_connectors; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.volume_connectors (
    id bigint NOT NULL,
    uuid text NOT NULL COLLATE pg_catalog."C",
    version bigint NOT NULL,
    node_uuid text NOT NULL COLLATE pg_catalog."C",
    type text NOT NULL COLLATE pg_catalog."C",
    connector_id text NOT NULL COLLATE pg_catalog."C",
    extra text,
    created_at bigint NOT NULL,
    updated_at bigint DEFAULT 0 NOT NULL,
    secrets bytea
);


--
-- Name: volume_connectors_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.volume_connectors ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.volume_connectors_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: volume_targets; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.volume_targets (
    id bigint NOT NULL,
    uuid text NOT NULL COLLATE pg_catalog."C",
    version bigint NOT NULL,
    node_uuid text NOT NULL COLLATE pg_catalog."C",
    volume_type text NOT NULL COLLATE pg_catalog."C",
    volume_id text NOT NULL COLLATE pg_catalog."C",
    boot_index bigint NOT NULL,
    properties text,
    extra text,
    created_at bigint NOT NULL,
    updated_at bigint DEFAULT 0 NOT NULL,
    secrets bytea
);


--
-- Name: volume_targets_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.volume_targets ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.volume_targets_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Data for Name: allocations; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: bios_settings; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.bios_settings VALUES ('87b13abc-f787-4dc3-a731-f16656fef01b', 'AssetTag', '', '{"type":"String","min_length":0,"max_length":63,"read_only":false,"reset_required":true,"unique":true}', 1795721152334066, 0);
INSERT INTO public.bios_settings VALUES ('87b13abc-f787-4dc3-a731-f16656fef01b', 'MemoryChannels', '4', '{"type":"Integer","lower_bound":1,"upper_bound":8,"read_only":false,"reset_required":true,"unique":false}', 1795721152334066, 0);
INSERT INTO public.bios_settings VALUES ('87b13abc-f787-4dc3-a731-f16656fef01b', 'TurboMode', 'Enabled', '{"type":"Enumeration","allowed":["Enabled","Disabled"],"read_only":false,"reset_required":true,"unique":false}', 1795721152334066, 0);
INSERT INTO public.bios_settings VALUES ('87b13abc-f787-4dc3-a731-f16656fef01b', 'Virtualization', 'Enabled', '{"type":"Enumeration","allowed":["Enabled","Disabled"],"read_only":false,"reset_required":true,"unique":false}', 1795721152334066, 0);
INSERT INTO public.bios_settings VALUES ('0294bd11-c1f5-4aba-8c44-eb8187467bab', 'AssetTag', '', '{"type":"String","min_length":0,"max_length":63,"read_only":false,"reset_required":true,"unique":true}', 1795721152612211, 0);
INSERT INTO public.bios_settings VALUES ('0294bd11-c1f5-4aba-8c44-eb8187467bab', 'MemoryChannels', '4', '{"type":"Integer","lower_bound":1,"upper_bound":8,"read_only":false,"reset_required":true,"unique":false}', 1795721152612211, 0);
INSERT INTO public.bios_settings VALUES ('0294bd11-c1f5-4aba-8c44-eb8187467bab', 'TurboMode', 'Enabled', '{"type":"Enumeration","allowed":["Enabled","Disabled"],"read_only":false,"reset_required":true,"unique":false}', 1795721152612211, 0);
INSERT INTO public.bios_settings VALUES ('0294bd11-c1f5-4aba-8c44-eb8187467bab', 'Virtualization', 'Enabled', '{"type":"Enumeration","allowed":["Enabled","Disabled"],"read_only":false,"reset_required":true,"unique":false}', 1795721152612211, 0);
INSERT INTO public.bios_settings VALUES ('0e030ef7-eee2-4898-8544-be28414a7f25', 'AssetTag', '', '{"type":"String","min_length":0,"max_length":63,"read_only":false,"reset_required":true,"unique":true}', 1795721152819593, 0);
INSERT INTO public.bios_settings VALUES ('0e030ef7-eee2-4898-8544-be28414a7f25', 'MemoryChannels', '4', '{"type":"Integer","lower_bound":1,"upper_bound":8,"read_only":false,"reset_required":true,"unique":false}', 1795721152819593, 0);
INSERT INTO public.bios_settings VALUES ('0e030ef7-eee2-4898-8544-be28414a7f25', 'TurboMode', 'Enabled', '{"type":"Enumeration","allowed":["Enabled","Disabled"],"read_only":false,"reset_required":true,"unique":false}', 1795721152819593, 0);
INSERT INTO public.bios_settings VALUES ('0e030ef7-eee2-4898-8544-be28414a7f25', 'Virtualization', 'Enabled', '{"type":"Enumeration","allowed":["Enabled","Disabled"],"read_only":false,"reset_required":true,"unique":false}', 1795721152819593, 0);
INSERT INTO public.bios_settings VALUES ('132aa267-21fa-45c7-9a8b-6fea981ae90f', 'AssetTag', '', '{"type":"String","min_length":0,"max_length":63,"read_only":false,"reset_required":true,"unique":true}', 1795721153092855, 0);
INSERT INTO public.bios_settings VALUES ('132aa267-21fa-45c7-9a8b-6fea981ae90f', 'MemoryChannels', '4', '{"type":"Integer","lower_bound":1,"upper_bound":8,"read_only":false,"reset_required":true,"unique":false}', 1795721153092855, 0);
INSERT INTO public.bios_settings VALUES ('132aa267-21fa-45c7-9a8b-6fea981ae90f', 'TurboMode', 'Enabled', '{"type":"Enumeration","allowed":["Enabled","Disabled"],"read_only":false,"reset_required":true,"unique":false}', 1795721153092855, 0);
INSERT INTO public.bios_settings VALUES ('132aa267-21fa-45c7-9a8b-6fea981ae90f', 'Virtualization', 'Enabled', '{"type":"Enumeration","allowed":["Enabled","Disabled"],"read_only":false,"reset_required":true,"unique":false}', 1795721153092855, 0);


--
-- Data for Name: blobs; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: bmc_leases; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: capacities; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: chassis; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: claims; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: conductors; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.conductors VALUES ('older', '', '["fake-hardware","ipmi"]', 1795721176938655, 1795721178003325, 'f12f6868-6953-4cee-8dd8-ada31c86aeb3');


--
-- Data for Name: deploy_templates; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: dhcp_leases; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: encryption_keys; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.encryption_keys VALUES ('db991128', '6af8d9c762d88bc39ad90ff82bca0b48b59d4e31e21abb84be700e8e', 1795721152117790);


--
-- Data for Name: event_epoch; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.event_epoch VALUES (0);


--
-- Data for Name: events; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.events VALUES (3055617, 1795721152242545, 'node.created', '87b13abc-f787-4dc3-a731-f16656fef01b', '{"driver":"fake-hardware","name":"deploying"}');
INSERT INTO public.events VALUES (3063809, 1795721152267046, 'node.state', '87b13abc-f787-4dc3-a731-f16656fef01b', '{"from":"enroll","last_error":"","target":"manageable","to":"verifying"}');
INSERT INTO public.events VALUES (3080193, 1795721152286571, 'operation.step', '87b13abc-f787-4dc3-a731-f16656fef01b', '{"after":"define-guest","attempt":1,"conductor":"older","kind":"verify","operation":"015e5bc4-d725-4e0d-a8e9-e351dc0927dc","phase":"forward","step":"power-state"}');
INSERT INTO public.events VALUES (3096577, 1795721152322780, 'node.power', '87b13abc-f787-4dc3-a731-f16656fef01b', '{"from":"","to":"power off"}');
INSERT INTO public.events VALUES (3096578, 1795721152322780, 'operation.step', '87b13abc-f787-4dc3-a731-f16656fef01b', '{"after":"power-state","attempt":1,"conductor":"older","kind":"verify","operation":"015e5bc4-d725-4e0d-a8e9-e351dc0927dc","phase":"forward","step":"read-hardware"}');
INSERT INTO public.events VALUES (3121153, 1795721152331284, 'node.state', '87b13abc-f787-4dc3-a731-f16656fef01b', '{"from":"verifying","last_error":"","target":"","to":"manageable"}');
INSERT INTO public.events VALUES (3121154, 1795721152331284, 'operation.ended', '87b13abc-f787-4dc3-a731-f16656fef01b', '{"attempts":1,"error":"","kind":"verify","operation":"015e5bc4-d725-4e0d-a8e9-e351dc0927dc","outcome":"done"}');
INSERT INTO public.events VALUES (3129345, 1795721152485210, 'node.created', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"driver":"fake-hardware","name":"deleting"}');
INSERT INTO public.events VALUES (3137537, 1795721152552061, 'node.state', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"from":"enroll","last_error":"","target":"manageable","to":"verifying"}');
INSERT INTO public.events VALUES (3153921, 1795721152558798, 'operation.step', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"after":"define-guest","attempt":1,"conductor":"older","kind":"verify","operation":"dd34e5e4-15fb-4200-ab43-c2f318f2b22f","phase":"forward","step":"power-state"}');
INSERT INTO public.events VALUES (3170305, 1795721152599261, 'node.power', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"from":"","to":"power off"}');
INSERT INTO public.events VALUES (3170306, 1795721152599261, 'operation.step', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"after":"power-state","attempt":1,"conductor":"older","kind":"verify","operation":"dd34e5e4-15fb-4200-ab43-c2f318f2b22f","phase":"forward","step":"read-hardware"}');
INSERT INTO public.events VALUES (3194881, 1795721152606496, 'node.state', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"from":"verifying","last_error":"","target":"","to":"manageable"}');
INSERT INTO public.events VALUES (3194882, 1795721152606496, 'operation.ended', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"attempts":1,"error":"","kind":"verify","operation":"dd34e5e4-15fb-4200-ab43-c2f318f2b22f","outcome":"done"}');
INSERT INTO public.events VALUES (3203073, 1795721152745627, 'node.created', '0e030ef7-eee2-4898-8544-be28414a7f25', '{"driver":"fake-hardware","name":"inspecting"}');
INSERT INTO public.events VALUES (3211265, 1795721152771800, 'node.state', '0e030ef7-eee2-4898-8544-be28414a7f25', '{"from":"enroll","last_error":"","target":"manageable","to":"verifying"}');
INSERT INTO public.events VALUES (3227649, 1795721152774226, 'operation.step', '0e030ef7-eee2-4898-8544-be28414a7f25', '{"after":"define-guest","attempt":1,"conductor":"older","kind":"verify","operation":"6ec0cf36-8890-4794-a091-7496b87da9e8","phase":"forward","step":"power-state"}');
INSERT INTO public.events VALUES (3244033, 1795721152778209, 'node.power', '0e030ef7-eee2-4898-8544-be28414a7f25', '{"from":"","to":"power off"}');
INSERT INTO public.events VALUES (3244034, 1795721152778209, 'operation.step', '0e030ef7-eee2-4898-8544-be28414a7f25', '{"after":"power-state","attempt":1,"conductor":"older","kind":"verify","operation":"6ec0cf36-8890-4794-a091-7496b87da9e8","phase":"forward","step":"read-hardware"}');
INSERT INTO public.events VALUES (3268609, 1795721152787394, 'node.state', '0e030ef7-eee2-4898-8544-be28414a7f25', '{"from":"verifying","last_error":"","target":"","to":"manageable"}');
INSERT INTO public.events VALUES (3268610, 1795721152787394, 'operation.ended', '0e030ef7-eee2-4898-8544-be28414a7f25', '{"attempts":1,"error":"","kind":"verify","operation":"6ec0cf36-8890-4794-a091-7496b87da9e8","outcome":"done"}');
INSERT INTO public.events VALUES (3276801, 1795721152994562, 'node.created', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"driver":"fake-hardware","name":"idle"}');
INSERT INTO public.events VALUES (3284993, 1795721153027144, 'node.state', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"from":"enroll","last_error":"","target":"manageable","to":"verifying"}');
INSERT INTO public.events VALUES (3301377, 1795721153037345, 'operation.step', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"after":"define-guest","attempt":1,"conductor":"older","kind":"verify","operation":"277ac3cc-980f-44be-8933-6588c2b0e5e9","phase":"forward","step":"power-state"}');
INSERT INTO public.events VALUES (3317761, 1795721153064282, 'node.power', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"from":"","to":"power off"}');
INSERT INTO public.events VALUES (3317762, 1795721153064282, 'operation.step', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"after":"power-state","attempt":1,"conductor":"older","kind":"verify","operation":"277ac3cc-980f-44be-8933-6588c2b0e5e9","phase":"forward","step":"read-hardware"}');
INSERT INTO public.events VALUES (3342337, 1795721153080056, 'node.state', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"from":"verifying","last_error":"","target":"","to":"manageable"}');
INSERT INTO public.events VALUES (3342338, 1795721153080056, 'operation.ended', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"attempts":1,"error":"","kind":"verify","operation":"277ac3cc-980f-44be-8933-6588c2b0e5e9","outcome":"done"}');
INSERT INTO public.events VALUES (3354625, 1795721153266762, 'node.state', '87b13abc-f787-4dc3-a731-f16656fef01b', '{"from":"manageable","last_error":"","target":"available","to":"cleaning"}');
INSERT INTO public.events VALUES (3371009, 1795721153271529, 'operation.step', '87b13abc-f787-4dc3-a731-f16656fef01b', '{"after":"power-off-guest","attempt":1,"conductor":"older","kind":"provide","operation":"7909248b-0560-4c5e-a7f2-8b307f479e58","phase":"forward","step":"blank-disk"}');
INSERT INTO public.events VALUES (3387393, 1795721153279447, 'operation.step', '87b13abc-f787-4dc3-a731-f16656fef01b', '{"after":"blank-disk","attempt":1,"conductor":"older","kind":"provide","operation":"7909248b-0560-4c5e-a7f2-8b307f479e58","phase":"forward","step":"cleaning-runbook"}');
INSERT INTO public.events VALUES (3403777, 1795721153289272, 'operation.step', '87b13abc-f787-4dc3-a731-f16656fef01b', '{"after":"cleaning-runbook","attempt":1,"conductor":"older","kind":"provide","operation":"7909248b-0560-4c5e-a7f2-8b307f479e58","phase":"forward","step":"power-off"}');
INSERT INTO public.events VALUES (3416065, 1795721153297176, 'operation.step', '87b13abc-f787-4dc3-a731-f16656fef01b', '{"after":"power-off","attempt":1,"conductor":"older","kind":"provide","operation":"7909248b-0560-4c5e-a7f2-8b307f479e58","phase":"forward","step":"network-boot"}');
INSERT INTO public.events VALUES (3436545, 1795721153301809, 'operation.step', '87b13abc-f787-4dc3-a731-f16656fef01b', '{"after":"network-boot","attempt":1,"conductor":"older","kind":"provide","operation":"7909248b-0560-4c5e-a7f2-8b307f479e58","phase":"forward","step":"power-on"}');
INSERT INTO public.events VALUES (3452929, 1795721153306385, 'node.power', '87b13abc-f787-4dc3-a731-f16656fef01b', '{"from":"power off","to":"power on"}');
INSERT INTO public.events VALUES (3452930, 1795721153306385, 'operation.step', '87b13abc-f787-4dc3-a731-f16656fef01b', '{"after":"power-on","attempt":1,"conductor":"older","kind":"provide","operation":"7909248b-0560-4c5e-a7f2-8b307f479e58","phase":"forward","step":"agent"}');
INSERT INTO public.events VALUES (3469313, 1795721153315654, 'node.state', '87b13abc-f787-4dc3-a731-f16656fef01b', '{"from":"cleaning","last_error":"","target":"available","to":"clean wait"}');
INSERT INTO public.events VALUES (3543041, 1795721163324374, 'node.state', '87b13abc-f787-4dc3-a731-f16656fef01b', '{"from":"clean wait","last_error":"","target":"available","to":"cleaning"}');
INSERT INTO public.events VALUES (3543042, 1795721163324374, 'operation.step', '87b13abc-f787-4dc3-a731-f16656fef01b', '{"after":"agent","attempt":1,"conductor":"older","kind":"provide","operation":"7909248b-0560-4c5e-a7f2-8b307f479e58","phase":"forward","step":"collect-steps"}');
INSERT INTO public.events VALUES (3559425, 1795721163338549, 'operation.step', '87b13abc-f787-4dc3-a731-f16656fef01b', '{"after":"collect-steps","attempt":1,"conductor":"older","kind":"provide","operation":"7909248b-0560-4c5e-a7f2-8b307f479e58","phase":"forward","step":"run-steps"}');
INSERT INTO public.events VALUES (3571713, 1795721163356545, 'node.state', '87b13abc-f787-4dc3-a731-f16656fef01b', '{"from":"cleaning","last_error":"","target":"available","to":"clean wait"}');
INSERT INTO public.events VALUES (3596289, 1795721163374213, 'operation.step', '87b13abc-f787-4dc3-a731-f16656fef01b', '{"after":"run-steps","attempt":1,"conductor":"older","kind":"provide","operation":"7909248b-0560-4c5e-a7f2-8b307f479e58","phase":"forward","step":"run-steps"}');
INSERT INTO public.events VALUES (3616769, 1795721163383185, 'operation.step', '87b13abc-f787-4dc3-a731-f16656fef01b', '{"after":"run-steps","attempt":1,"conductor":"older","kind":"provide","operation":"7909248b-0560-4c5e-a7f2-8b307f479e58","phase":"forward","step":"run-steps"}');
INSERT INTO public.events VALUES (3645441, 1795721163413648, 'node.power', '87b13abc-f787-4dc3-a731-f16656fef01b', '{"from":"power on","to":"power off"}');
INSERT INTO public.events VALUES (3645442, 1795721163413648, 'operation.step', '87b13abc-f787-4dc3-a731-f16656fef01b', '{"after":"power-off-agent","attempt":1,"conductor":"older","kind":"provide","operation":"7909248b-0560-4c5e-a7f2-8b307f479e58","phase":"forward","step":"abort-boot"}');
INSERT INTO public.events VALUES (3678209, 1795721163499186, 'node.state', '87b13abc-f787-4dc3-a731-f16656fef01b', '{"from":"cleaning","last_error":"","target":"","to":"available"}');
INSERT INTO public.events VALUES (3678210, 1795721163499186, 'operation.ended', '87b13abc-f787-4dc3-a731-f16656fef01b', '{"attempts":1,"error":"","kind":"provide","operation":"7909248b-0560-4c5e-a7f2-8b307f479e58","outcome":"done"}');
INSERT INTO public.events VALUES (3686401, 1795721163626146, 'node.state', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"from":"manageable","last_error":"","target":"available","to":"cleaning"}');
INSERT INTO public.events VALUES (3829761, 1795721163823898, 'operation.step', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"after":"collect-steps","attempt":1,"conductor":"older","kind":"provide","operation":"70aa7b0e-8c12-43fa-baff-37917b473bd4","phase":"forward","step":"run-steps"}');
INSERT INTO public.events VALUES (3846145, 1795721163898345, 'node.state', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"from":"cleaning","last_error":"","target":"available","to":"clean wait"}');
INSERT INTO public.events VALUES (3866625, 1795721163915951, 'operation.step', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"after":"run-steps","attempt":1,"conductor":"older","kind":"provide","operation":"70aa7b0e-8c12-43fa-baff-37917b473bd4","phase":"forward","step":"run-steps"}');
INSERT INTO public.events VALUES (3883009, 1795721163924038, 'operation.step', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"after":"run-steps","attempt":1,"conductor":"older","kind":"provide","operation":"70aa7b0e-8c12-43fa-baff-37917b473bd4","phase":"forward","step":"run-steps"}');
INSERT INTO public.events VALUES (3899393, 1795721163939934, 'node.state', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"from":"clean wait","last_error":"","target":"available","to":"cleaning"}');
INSERT INTO public.events VALUES (3899394, 1795721163939934, 'operation.step', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"after":"run-steps","attempt":1,"conductor":"older","kind":"provide","operation":"70aa7b0e-8c12-43fa-baff-37917b473bd4","phase":"forward","step":"power-off-agent"}');
INSERT INTO public.events VALUES (3915777, 1795721163956413, 'node.power', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"from":"power on","to":"power off"}');
INSERT INTO public.events VALUES (3915778, 1795721163956413, 'operation.step', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"after":"power-off-agent","attempt":1,"conductor":"older","kind":"provide","operation":"70aa7b0e-8c12-43fa-baff-37917b473bd4","phase":"forward","step":"abort-boot"}');
INSERT INTO public.events VALUES (3932161, 1795721163977467, 'operation.step', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"after":"abort-boot","attempt":1,"conductor":"older","kind":"provide","operation":"70aa7b0e-8c12-43fa-baff-37917b473bd4","phase":"forward","step":"leave-ramdisk"}');
INSERT INTO public.events VALUES (3948545, 1795721163992372, 'node.state', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"from":"cleaning","last_error":"","target":"","to":"available"}');
INSERT INTO public.events VALUES (3948546, 1795721163992372, 'operation.ended', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"attempts":1,"error":"","kind":"provide","operation":"70aa7b0e-8c12-43fa-baff-37917b473bd4","outcome":"done"}');
INSERT INTO public.events VALUES (3973121, 1795721164127714, 'operation.step', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"after":"power-off-guest","attempt":1,"conductor":"older","kind":"provide","operation":"e334f609-4ceb-4813-8a46-323cf32c8405","phase":"forward","step":"blank-disk"}');
INSERT INTO public.events VALUES (3989505, 1795721164149150, 'operation.step', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"after":"blank-disk","attempt":1,"conductor":"older","kind":"provide","operation":"e334f609-4ceb-4813-8a46-323cf32c8405","phase":"forward","step":"cleaning-runbook"}');
INSERT INTO public.events VALUES (4018177, 1795721164169136, 'operation.step', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"after":"power-off","attempt":1,"conductor":"older","kind":"provide","operation":"e334f609-4ceb-4813-8a46-323cf32c8405","phase":"forward","step":"network-boot"}');
INSERT INTO public.events VALUES (4034561, 1795721164176094, 'operation.step', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"after":"network-boot","attempt":1,"conductor":"older","kind":"provide","operation":"e334f609-4ceb-4813-8a46-323cf32c8405","phase":"forward","step":"power-on"}');
INSERT INTO public.events VALUES (4050945, 1795721164192650, 'node.power', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"from":"power off","to":"power on"}');
INSERT INTO public.events VALUES (4050946, 1795721164192650, 'operation.step', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"after":"power-on","attempt":1,"conductor":"older","kind":"provide","operation":"e334f609-4ceb-4813-8a46-323cf32c8405","phase":"forward","step":"agent"}');
INSERT INTO public.events VALUES (4096001, 1795721164221046, 'node.state', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"from":"clean wait","last_error":"","target":"available","to":"cleaning"}');
INSERT INTO public.events VALUES (4096002, 1795721164221046, 'operation.step', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"after":"agent","attempt":1,"conductor":"older","kind":"provide","operation":"e334f609-4ceb-4813-8a46-323cf32c8405","phase":"forward","step":"collect-steps"}');
INSERT INTO public.events VALUES (4112385, 1795721164238041, 'operation.step', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"after":"collect-steps","attempt":1,"conductor":"older","kind":"provide","operation":"e334f609-4ceb-4813-8a46-323cf32c8405","phase":"forward","step":"run-steps"}');
INSERT INTO public.events VALUES (4128769, 1795721164246051, 'node.state', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"from":"cleaning","last_error":"","target":"available","to":"clean wait"}');
INSERT INTO public.events VALUES (4374529, 1795721164598274, 'node.power', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"from":"power off","to":"power on"}');
INSERT INTO public.events VALUES (4374530, 1795721164598274, 'operation.step', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"after":"power-on","attempt":1,"conductor":"older","kind":"deploy","operation":"741ccdca-3bdf-4ecb-8e5b-88de8c6f1c70","phase":"forward","step":"agent"}');
INSERT INTO public.events VALUES (4407297, 1795721164617015, 'node.state', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"from":"deploying","last_error":"","target":"active","to":"wait call-back"}');
INSERT INTO public.events VALUES (3629057, 1795721163404377, 'node.state', '87b13abc-f787-4dc3-a731-f16656fef01b', '{"from":"clean wait","last_error":"","target":"available","to":"cleaning"}');
INSERT INTO public.events VALUES (3629058, 1795721163404377, 'operation.step', '87b13abc-f787-4dc3-a731-f16656fef01b', '{"after":"run-steps","attempt":1,"conductor":"older","kind":"provide","operation":"7909248b-0560-4c5e-a7f2-8b307f479e58","phase":"forward","step":"power-off-agent"}');
INSERT INTO public.events VALUES (3661825, 1795721163428709, 'operation.step', '87b13abc-f787-4dc3-a731-f16656fef01b', '{"after":"abort-boot","attempt":1,"conductor":"older","kind":"provide","operation":"7909248b-0560-4c5e-a7f2-8b307f479e58","phase":"forward","step":"leave-ramdisk"}');
INSERT INTO public.events VALUES (3702785, 1795721163641673, 'operation.step', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"after":"power-off-guest","attempt":1,"conductor":"older","kind":"provide","operation":"70aa7b0e-8c12-43fa-baff-37917b473bd4","phase":"forward","step":"blank-disk"}');
INSERT INTO public.events VALUES (3731457, 1795721163666865, 'operation.step', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"after":"cleaning-runbook","attempt":1,"conductor":"older","kind":"provide","operation":"70aa7b0e-8c12-43fa-baff-37917b473bd4","phase":"forward","step":"power-off"}');
INSERT INTO public.events VALUES (3747841, 1795721163716803, 'operation.step', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"after":"power-off","attempt":1,"conductor":"older","kind":"provide","operation":"70aa7b0e-8c12-43fa-baff-37917b473bd4","phase":"forward","step":"network-boot"}');
INSERT INTO public.events VALUES (3764225, 1795721163725937, 'operation.step', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"after":"network-boot","attempt":1,"conductor":"older","kind":"provide","operation":"70aa7b0e-8c12-43fa-baff-37917b473bd4","phase":"forward","step":"power-on"}');
INSERT INTO public.events VALUES (3780609, 1795721163745000, 'node.power', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"from":"power off","to":"power on"}');
INSERT INTO public.events VALUES (3780610, 1795721163745000, 'operation.step', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"after":"power-on","attempt":1,"conductor":"older","kind":"provide","operation":"70aa7b0e-8c12-43fa-baff-37917b473bd4","phase":"forward","step":"agent"}');
INSERT INTO public.events VALUES (3813377, 1795721163750632, 'operation.step', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"after":"agent","attempt":1,"conductor":"older","kind":"provide","operation":"70aa7b0e-8c12-43fa-baff-37917b473bd4","phase":"forward","step":"collect-steps"}');
INSERT INTO public.events VALUES (3956737, 1795721164109000, 'node.state', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"from":"manageable","last_error":"","target":"available","to":"cleaning"}');
INSERT INTO public.events VALUES (4067329, 1795721164202043, 'node.state', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"from":"cleaning","last_error":"","target":"available","to":"clean wait"}');
INSERT INTO public.events VALUES (4145153, 1795721164265085, 'operation.step', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"after":"run-steps","attempt":1,"conductor":"older","kind":"provide","operation":"e334f609-4ceb-4813-8a46-323cf32c8405","phase":"forward","step":"run-steps"}');
INSERT INTO public.events VALUES (4243457, 1795721164468752, 'node.state', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"from":"available","last_error":"","target":"active","to":"deploying"}');
INSERT INTO public.events VALUES (4513793, 1795721174873759, 'operation.step', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"after":"run-steps","attempt":1,"conductor":"older","kind":"deploy","operation":"741ccdca-3bdf-4ecb-8e5b-88de8c6f1c70","phase":"forward","step":"run-steps"}');
INSERT INTO public.events VALUES (4575233, 1795721175139193, 'operation.step', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"after":"sync","attempt":1,"conductor":"older","kind":"deploy","operation":"741ccdca-3bdf-4ecb-8e5b-88de8c6f1c70","phase":"forward","step":"power-off-agent"}');
INSERT INTO public.events VALUES (4653057, 1795721175311687, 'operation.step', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"after":"check","attempt":1,"conductor":"older","kind":"deploy","operation":"32c51f5c-1297-4dd6-a3c9-551d1381b799","phase":"forward","step":"image"}');
INSERT INTO public.events VALUES (4669441, 1795721175353848, 'operation.step', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"after":"image","attempt":1,"conductor":"older","kind":"deploy","operation":"32c51f5c-1297-4dd6-a3c9-551d1381b799","phase":"forward","step":"config-drive"}');
INSERT INTO public.events VALUES (4755457, 1795721175477201, 'operation.step', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"after":"network-boot","attempt":1,"conductor":"older","kind":"deploy","operation":"32c51f5c-1297-4dd6-a3c9-551d1381b799","phase":"forward","step":"power-on"}');
INSERT INTO public.events VALUES (4771841, 1795721175510683, 'node.power', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"from":"power off","to":"power on"}');
INSERT INTO public.events VALUES (4771842, 1795721175510683, 'operation.step', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"after":"power-on","attempt":1,"conductor":"older","kind":"deploy","operation":"32c51f5c-1297-4dd6-a3c9-551d1381b799","phase":"forward","step":"agent"}');
INSERT INTO public.events VALUES (4816897, 1795721175629112, 'node.state', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"from":"wait call-back","last_error":"","target":"active","to":"deploying"}');
INSERT INTO public.events VALUES (4816898, 1795721175629112, 'operation.step', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"after":"agent","attempt":1,"conductor":"older","kind":"deploy","operation":"32c51f5c-1297-4dd6-a3c9-551d1381b799","phase":"forward","step":"collect-steps"}');
INSERT INTO public.events VALUES (4833281, 1795721175632901, 'operation.step', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"after":"collect-steps","attempt":1,"conductor":"older","kind":"deploy","operation":"32c51f5c-1297-4dd6-a3c9-551d1381b799","phase":"forward","step":"run-steps"}');
INSERT INTO public.events VALUES (4849665, 1795721175638572, 'node.state', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"from":"deploying","last_error":"","target":"active","to":"wait call-back"}');
INSERT INTO public.events VALUES (3710977, 1795721163657573, 'operation.step', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"after":"blank-disk","attempt":1,"conductor":"older","kind":"provide","operation":"70aa7b0e-8c12-43fa-baff-37917b473bd4","phase":"forward","step":"cleaning-runbook"}');
INSERT INTO public.events VALUES (3997697, 1795721164157709, 'operation.step', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"after":"cleaning-runbook","attempt":1,"conductor":"older","kind":"provide","operation":"e334f609-4ceb-4813-8a46-323cf32c8405","phase":"forward","step":"power-off"}');
INSERT INTO public.events VALUES (4165633, 1795721164273483, 'operation.step', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"after":"run-steps","attempt":1,"conductor":"older","kind":"provide","operation":"e334f609-4ceb-4813-8a46-323cf32c8405","phase":"forward","step":"run-steps"}');
INSERT INTO public.events VALUES (4182017, 1795721164284808, 'node.state', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"from":"clean wait","last_error":"","target":"available","to":"cleaning"}');
INSERT INTO public.events VALUES (4182018, 1795721164284808, 'operation.step', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"after":"run-steps","attempt":1,"conductor":"older","kind":"provide","operation":"e334f609-4ceb-4813-8a46-323cf32c8405","phase":"forward","step":"power-off-agent"}');
INSERT INTO public.events VALUES (4198401, 1795721164299362, 'node.power', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"from":"power on","to":"power off"}');
INSERT INTO public.events VALUES (4198402, 1795721164299362, 'operation.step', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"after":"power-off-agent","attempt":1,"conductor":"older","kind":"provide","operation":"e334f609-4ceb-4813-8a46-323cf32c8405","phase":"forward","step":"abort-boot"}');
INSERT INTO public.events VALUES (4214785, 1795721164324929, 'operation.step', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"after":"abort-boot","attempt":1,"conductor":"older","kind":"provide","operation":"e334f609-4ceb-4813-8a46-323cf32c8405","phase":"forward","step":"leave-ramdisk"}');
INSERT INTO public.events VALUES (4231169, 1795721164334724, 'node.state', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"from":"cleaning","last_error":"","target":"","to":"available"}');
INSERT INTO public.events VALUES (4231170, 1795721164334724, 'operation.ended', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"attempts":1,"error":"","kind":"provide","operation":"e334f609-4ceb-4813-8a46-323cf32c8405","outcome":"done"}');
INSERT INTO public.events VALUES (4259841, 1795721164474147, 'operation.step', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"after":"check","attempt":1,"conductor":"older","kind":"deploy","operation":"741ccdca-3bdf-4ecb-8e5b-88de8c6f1c70","phase":"forward","step":"image"}');
INSERT INTO public.events VALUES (4276225, 1795721164483995, 'operation.step', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"after":"image","attempt":1,"conductor":"older","kind":"deploy","operation":"741ccdca-3bdf-4ecb-8e5b-88de8c6f1c70","phase":"forward","step":"config-drive"}');
INSERT INTO public.events VALUES (4292609, 1795721164551782, 'operation.step', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"after":"config-drive","attempt":1,"conductor":"older","kind":"deploy","operation":"741ccdca-3bdf-4ecb-8e5b-88de8c6f1c70","phase":"forward","step":"define-guest"}');
INSERT INTO public.events VALUES (4308993, 1795721164570407, 'operation.step', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"after":"define-guest","attempt":1,"conductor":"older","kind":"deploy","operation":"741ccdca-3bdf-4ecb-8e5b-88de8c6f1c70","phase":"forward","step":"power-off"}');
INSERT INTO public.events VALUES (4325377, 1795721164574025, 'operation.step', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"after":"power-off","attempt":1,"conductor":"older","kind":"deploy","operation":"741ccdca-3bdf-4ecb-8e5b-88de8c6f1c70","phase":"forward","step":"guest-disks"}');
INSERT INTO public.events VALUES (4341761, 1795721164591023, 'operation.step', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"after":"guest-disks","attempt":1,"conductor":"older","kind":"deploy","operation":"741ccdca-3bdf-4ecb-8e5b-88de8c6f1c70","phase":"forward","step":"network-boot"}');
INSERT INTO public.events VALUES (4358145, 1795721164594739, 'operation.step', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"after":"network-boot","attempt":1,"conductor":"older","kind":"deploy","operation":"741ccdca-3bdf-4ecb-8e5b-88de8c6f1c70","phase":"forward","step":"power-on"}');
INSERT INTO public.events VALUES (4460545, 1795721174626817, 'node.state', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"from":"wait call-back","last_error":"","target":"active","to":"deploying"}');
INSERT INTO public.events VALUES (4460546, 1795721174626817, 'operation.step', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"after":"agent","attempt":1,"conductor":"older","kind":"deploy","operation":"741ccdca-3bdf-4ecb-8e5b-88de8c6f1c70","phase":"forward","step":"collect-steps"}');
INSERT INTO public.events VALUES (4476929, 1795721174657538, 'operation.step', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"after":"collect-steps","attempt":1,"conductor":"older","kind":"deploy","operation":"741ccdca-3bdf-4ecb-8e5b-88de8c6f1c70","phase":"forward","step":"run-steps"}');
INSERT INTO public.events VALUES (4493313, 1795721174670181, 'node.state', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"from":"deploying","last_error":"","target":"active","to":"wait call-back"}');
INSERT INTO public.events VALUES (4546561, 1795721174956801, 'operation.step', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"after":"run-steps","attempt":1,"conductor":"older","kind":"deploy","operation":"741ccdca-3bdf-4ecb-8e5b-88de8c6f1c70","phase":"forward","step":"run-steps"}');
INSERT INTO public.events VALUES (4562945, 1795721174961863, 'node.state', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"from":"wait call-back","last_error":"","target":"active","to":"deploying"}');
INSERT INTO public.events VALUES (4562946, 1795721174961863, 'operation.step', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"after":"run-steps","attempt":1,"conductor":"older","kind":"deploy","operation":"741ccdca-3bdf-4ecb-8e5b-88de8c6f1c70","phase":"forward","step":"sync"}');
INSERT INTO public.events VALUES (4595713, 1795721175142569, 'node.power', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"from":"power on","to":"power off"}');
INSERT INTO public.events VALUES (4595714, 1795721175142569, 'operation.step', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"after":"power-off-agent","attempt":1,"conductor":"older","kind":"deploy","operation":"741ccdca-3bdf-4ecb-8e5b-88de8c6f1c70","phase":"forward","step":"disk-boot"}');
INSERT INTO public.events VALUES (4612097, 1795721175165069, 'operation.step', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"after":"disk-boot","attempt":1,"conductor":"older","kind":"deploy","operation":"741ccdca-3bdf-4ecb-8e5b-88de8c6f1c70","phase":"forward","step":"power-on-instance"}');
INSERT INTO public.events VALUES (4620289, 1795721175182200, 'node.power', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"from":"power off","to":"power on"}');
INSERT INTO public.events VALUES (4620290, 1795721175182200, 'node.state', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"from":"deploying","last_error":"","target":"","to":"active"}');
INSERT INTO public.events VALUES (4620291, 1795721175182200, 'operation.ended', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"attempts":1,"error":"","kind":"deploy","operation":"741ccdca-3bdf-4ecb-8e5b-88de8c6f1c70","outcome":"done"}');
INSERT INTO public.events VALUES (4636673, 1795721175298486, 'node.state', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"from":"available","last_error":"","target":"active","to":"deploying"}');
INSERT INTO public.events VALUES (4685825, 1795721175364583, 'operation.step', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"after":"config-drive","attempt":1,"conductor":"older","kind":"deploy","operation":"32c51f5c-1297-4dd6-a3c9-551d1381b799","phase":"forward","step":"define-guest"}');
INSERT INTO public.events VALUES (4702209, 1795721175368499, 'operation.step', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"after":"define-guest","attempt":1,"conductor":"older","kind":"deploy","operation":"32c51f5c-1297-4dd6-a3c9-551d1381b799","phase":"forward","step":"power-off"}');
INSERT INTO public.events VALUES (4718593, 1795721175375061, 'operation.step', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"after":"power-off","attempt":1,"conductor":"older","kind":"deploy","operation":"32c51f5c-1297-4dd6-a3c9-551d1381b799","phase":"forward","step":"guest-disks"}');
INSERT INTO public.events VALUES (4734977, 1795721175440719, 'operation.step', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"after":"guest-disks","attempt":1,"conductor":"older","kind":"deploy","operation":"32c51f5c-1297-4dd6-a3c9-551d1381b799","phase":"forward","step":"network-boot"}');
INSERT INTO public.events VALUES (4792321, 1795721175522049, 'node.state', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"from":"deploying","last_error":"","target":"active","to":"wait call-back"}');
INSERT INTO public.events VALUES (4870145, 1795721175774432, 'operation.step', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"after":"run-steps","attempt":1,"conductor":"older","kind":"deploy","operation":"32c51f5c-1297-4dd6-a3c9-551d1381b799","phase":"forward","step":"run-steps"}');
INSERT INTO public.events VALUES (4993025, 1795721176109711, 'node.created', 'd9fe2a34-dc88-426c-a2c3-3ffd518053c6', '{"driver":"ipmi","name":"secret"}');
INSERT INTO public.events VALUES (4902913, 1795721175856216, 'operation.step', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"after":"run-steps","attempt":1,"conductor":"older","kind":"deploy","operation":"32c51f5c-1297-4dd6-a3c9-551d1381b799","phase":"forward","step":"run-steps"}');
INSERT INTO public.events VALUES (4919297, 1795721175886795, 'node.state', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"from":"wait call-back","last_error":"","target":"active","to":"deploying"}');
INSERT INTO public.events VALUES (4919298, 1795721175886795, 'operation.step', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"after":"run-steps","attempt":1,"conductor":"older","kind":"deploy","operation":"32c51f5c-1297-4dd6-a3c9-551d1381b799","phase":"forward","step":"sync"}');
INSERT INTO public.events VALUES (4935681, 1795721175938078, 'operation.step', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"after":"sync","attempt":1,"conductor":"older","kind":"deploy","operation":"32c51f5c-1297-4dd6-a3c9-551d1381b799","phase":"forward","step":"power-off-agent"}');
INSERT INTO public.events VALUES (4952065, 1795721175950963, 'node.power', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"from":"power on","to":"power off"}');
INSERT INTO public.events VALUES (4952066, 1795721175950963, 'operation.step', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"after":"power-off-agent","attempt":1,"conductor":"older","kind":"deploy","operation":"32c51f5c-1297-4dd6-a3c9-551d1381b799","phase":"forward","step":"disk-boot"}');
INSERT INTO public.events VALUES (4968449, 1795721175958203, 'operation.step', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"after":"disk-boot","attempt":1,"conductor":"older","kind":"deploy","operation":"32c51f5c-1297-4dd6-a3c9-551d1381b799","phase":"forward","step":"power-on-instance"}');
INSERT INTO public.events VALUES (4984833, 1795721175964825, 'node.power', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"from":"power off","to":"power on"}');
INSERT INTO public.events VALUES (4984834, 1795721175964825, 'node.state', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"from":"deploying","last_error":"","target":"","to":"active"}');
INSERT INTO public.events VALUES (4984835, 1795721175964825, 'operation.ended', '132aa267-21fa-45c7-9a8b-6fea981ae90f', '{"attempts":1,"error":"","kind":"deploy","operation":"32c51f5c-1297-4dd6-a3c9-551d1381b799","outcome":"done"}');
INSERT INTO public.events VALUES (5017601, 1795721177130122, 'node.state', '87b13abc-f787-4dc3-a731-f16656fef01b', '{"from":"available","last_error":"","target":"active","to":"deploying"}');
INSERT INTO public.events VALUES (5033985, 1795721177172171, 'operation.step', '87b13abc-f787-4dc3-a731-f16656fef01b', '{"after":"check","attempt":1,"conductor":"older","kind":"deploy","operation":"4056b2a6-36f4-49d9-bf39-8fa943838be5","phase":"forward","step":"image"}');
INSERT INTO public.events VALUES (5050369, 1795721177265063, 'operation.step', '87b13abc-f787-4dc3-a731-f16656fef01b', '{"after":"image","attempt":1,"conductor":"older","kind":"deploy","operation":"4056b2a6-36f4-49d9-bf39-8fa943838be5","phase":"forward","step":"config-drive"}');
INSERT INTO public.events VALUES (5066753, 1795721177334218, 'operation.step', '87b13abc-f787-4dc3-a731-f16656fef01b', '{"after":"config-drive","attempt":1,"conductor":"older","kind":"deploy","operation":"4056b2a6-36f4-49d9-bf39-8fa943838be5","phase":"forward","step":"define-guest"}');
INSERT INTO public.events VALUES (5083137, 1795721177400310, 'operation.step', '87b13abc-f787-4dc3-a731-f16656fef01b', '{"after":"define-guest","attempt":1,"conductor":"older","kind":"deploy","operation":"4056b2a6-36f4-49d9-bf39-8fa943838be5","phase":"forward","step":"power-off"}');
INSERT INTO public.events VALUES (5099521, 1795721177415186, 'operation.step', '87b13abc-f787-4dc3-a731-f16656fef01b', '{"after":"power-off","attempt":1,"conductor":"older","kind":"deploy","operation":"4056b2a6-36f4-49d9-bf39-8fa943838be5","phase":"forward","step":"guest-disks"}');
INSERT INTO public.events VALUES (5115905, 1795721177421128, 'operation.step', '87b13abc-f787-4dc3-a731-f16656fef01b', '{"after":"guest-disks","attempt":1,"conductor":"older","kind":"deploy","operation":"4056b2a6-36f4-49d9-bf39-8fa943838be5","phase":"forward","step":"network-boot"}');
INSERT INTO public.events VALUES (5132289, 1795721177438106, 'operation.step', '87b13abc-f787-4dc3-a731-f16656fef01b', '{"after":"network-boot","attempt":1,"conductor":"older","kind":"deploy","operation":"4056b2a6-36f4-49d9-bf39-8fa943838be5","phase":"forward","step":"power-on"}');
INSERT INTO public.events VALUES (5148673, 1795721177449076, 'node.power', '87b13abc-f787-4dc3-a731-f16656fef01b', '{"from":"power off","to":"power on"}');
INSERT INTO public.events VALUES (5148674, 1795721177449076, 'operation.step', '87b13abc-f787-4dc3-a731-f16656fef01b', '{"after":"power-on","attempt":1,"conductor":"older","kind":"deploy","operation":"4056b2a6-36f4-49d9-bf39-8fa943838be5","phase":"forward","step":"agent"}');
INSERT INTO public.events VALUES (5165057, 1795721177521887, 'node.state', '87b13abc-f787-4dc3-a731-f16656fef01b', '{"from":"deploying","last_error":"","target":"active","to":"wait call-back"}');
INSERT INTO public.events VALUES (5173249, 1795721177616450, 'node.state', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"from":"active","last_error":"","target":"available","to":"deleting"}');
INSERT INTO public.events VALUES (5189633, 1795721177639373, 'operation.step', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"after":"tear-down","attempt":1,"conductor":"older","kind":"delete","operation":"b12bffae-3a6c-4f7e-b6a7-310b5ba3fda7","phase":"forward","step":"power-off-instance"}');
INSERT INTO public.events VALUES (5206017, 1795721177692699, 'node.power', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"from":"power on","to":"power off"}');
INSERT INTO public.events VALUES (5206018, 1795721177692699, 'operation.step', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"after":"power-off-instance","attempt":1,"conductor":"older","kind":"delete","operation":"b12bffae-3a6c-4f7e-b6a7-310b5ba3fda7","phase":"forward","step":"forget-instance"}');
INSERT INTO public.events VALUES (5226497, 1795721177709138, 'operation.step', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"after":"forget-instance","attempt":1,"conductor":"older","kind":"delete","operation":"b12bffae-3a6c-4f7e-b6a7-310b5ba3fda7","phase":"forward","step":"power-off-guest"}');
INSERT INTO public.events VALUES (5234689, 1795721177739202, 'node.state', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"from":"deleting","last_error":"","target":"available","to":"cleaning"}');
INSERT INTO public.events VALUES (5234690, 1795721177739202, 'operation.step', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"after":"power-off-guest","attempt":1,"conductor":"older","kind":"delete","operation":"b12bffae-3a6c-4f7e-b6a7-310b5ba3fda7","phase":"forward","step":"blank-disk"}');
INSERT INTO public.events VALUES (5259265, 1795721177746963, 'operation.step', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"after":"blank-disk","attempt":1,"conductor":"older","kind":"delete","operation":"b12bffae-3a6c-4f7e-b6a7-310b5ba3fda7","phase":"forward","step":"cleaning-runbook"}');
INSERT INTO public.events VALUES (5271553, 1795721177769419, 'operation.step', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"after":"cleaning-runbook","attempt":1,"conductor":"older","kind":"delete","operation":"b12bffae-3a6c-4f7e-b6a7-310b5ba3fda7","phase":"forward","step":"power-off"}');
INSERT INTO public.events VALUES (5292033, 1795721177789406, 'operation.step', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"after":"power-off","attempt":1,"conductor":"older","kind":"delete","operation":"b12bffae-3a6c-4f7e-b6a7-310b5ba3fda7","phase":"forward","step":"network-boot"}');
INSERT INTO public.events VALUES (5308417, 1795721177802118, 'operation.step', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"after":"network-boot","attempt":1,"conductor":"older","kind":"delete","operation":"b12bffae-3a6c-4f7e-b6a7-310b5ba3fda7","phase":"forward","step":"power-on"}');
INSERT INTO public.events VALUES (5324801, 1795721177888891, 'node.power', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"from":"power off","to":"power on"}');
INSERT INTO public.events VALUES (5324802, 1795721177888891, 'operation.step', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"after":"power-on","attempt":1,"conductor":"older","kind":"delete","operation":"b12bffae-3a6c-4f7e-b6a7-310b5ba3fda7","phase":"forward","step":"agent"}');
INSERT INTO public.events VALUES (5341185, 1795721177896272, 'node.state', '0294bd11-c1f5-4aba-8c44-eb8187467bab', '{"from":"cleaning","last_error":"","target":"available","to":"clean wait"}');
INSERT INTO public.events VALUES (5353473, 1795721178214330, 'node.state', '0e030ef7-eee2-4898-8544-be28414a7f25', '{"from":"manageable","last_error":"","target":"manageable","to":"inspecting"}');
INSERT INTO public.events VALUES (5414913, 1795721178374404, 'node.power', '0e030ef7-eee2-4898-8544-be28414a7f25', '{"from":"power off","to":"power on"}');
INSERT INTO public.events VALUES (5369857, 1795721178260387, 'operation.step', '0e030ef7-eee2-4898-8544-be28414a7f25', '{"after":"begin","attempt":1,"conductor":"older","kind":"inspect","operation":"61972d73-f0a4-4854-946a-759386a45653","phase":"forward","step":"power-off"}');
INSERT INTO public.events VALUES (5386241, 1795721178311936, 'operation.step', '0e030ef7-eee2-4898-8544-be28414a7f25', '{"after":"power-off","attempt":1,"conductor":"older","kind":"inspect","operation":"61972d73-f0a4-4854-946a-759386a45653","phase":"forward","step":"network-boot"}');
INSERT INTO public.events VALUES (5402625, 1795721178360386, 'operation.step', '0e030ef7-eee2-4898-8544-be28414a7f25', '{"after":"network-boot","attempt":1,"conductor":"older","kind":"inspect","operation":"61972d73-f0a4-4854-946a-759386a45653","phase":"forward","step":"power-on"}');
INSERT INTO public.events VALUES (5414914, 1795721178374404, 'operation.step', '0e030ef7-eee2-4898-8544-be28414a7f25', '{"after":"power-on","attempt":1,"conductor":"older","kind":"inspect","operation":"61972d73-f0a4-4854-946a-759386a45653","phase":"forward","step":"inventory"}');
INSERT INTO public.events VALUES (5435393, 1795721178488813, 'node.state', '0e030ef7-eee2-4898-8544-be28414a7f25', '{"from":"inspecting","last_error":"","target":"manageable","to":"inspect wait"}');


--
-- Data for Name: firmware_components; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.firmware_components VALUES ('87b13abc-f787-4dc3-a731-f16656fef01b', 'bios', '1.0.0', '1.0.0', '', 'Ingot', 'Fake bios', '', 1795721152336253, 0);
INSERT INTO public.firmware_components VALUES ('87b13abc-f787-4dc3-a731-f16656fef01b', 'bmc', '1.0.0', '1.0.0', '', 'Ingot', 'Fake bmc', '', 1795721152336253, 0);
INSERT INTO public.firmware_components VALUES ('0294bd11-c1f5-4aba-8c44-eb8187467bab', 'bios', '1.0.0', '1.0.0', '', 'Ingot', 'Fake bios', '', 1795721152616697, 0);
INSERT INTO public.firmware_components VALUES ('0294bd11-c1f5-4aba-8c44-eb8187467bab', 'bmc', '1.0.0', '1.0.0', '', 'Ingot', 'Fake bmc', '', 1795721152616697, 0);
INSERT INTO public.firmware_components VALUES ('0e030ef7-eee2-4898-8544-be28414a7f25', 'bios', '1.0.0', '1.0.0', '', 'Ingot', 'Fake bios', '', 1795721152843453, 0);
INSERT INTO public.firmware_components VALUES ('0e030ef7-eee2-4898-8544-be28414a7f25', 'bmc', '1.0.0', '1.0.0', '', 'Ingot', 'Fake bmc', '', 1795721152843453, 0);
INSERT INTO public.firmware_components VALUES ('132aa267-21fa-45c7-9a8b-6fea981ae90f', 'bios', '1.0.0', '1.0.0', '', 'Ingot', 'Fake bios', '', 1795721153094160, 0);
INSERT INTO public.firmware_components VALUES ('132aa267-21fa-45c7-9a8b-6fea981ae90f', 'bmc', '1.0.0', '1.0.0', '', 'Ingot', 'Fake bmc', '', 1795721153094160, 0);


--
-- Data for Name: flavors; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: goose_db_version; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.goose_db_version VALUES (1, 0, true, '2026-11-26 19:25:50.979458');
INSERT INTO public.goose_db_version VALUES (2, 1, true, '2026-11-26 19:25:51.073575');
INSERT INTO public.goose_db_version VALUES (3, 10, true, '2026-11-26 19:25:51.308099');
INSERT INTO public.goose_db_version VALUES (4, 11, true, '2026-11-26 19:25:51.324954');
INSERT INTO public.goose_db_version VALUES (5, 12, true, '2026-11-26 19:25:51.34678');
INSERT INTO public.goose_db_version VALUES (6, 20, true, '2026-11-26 19:25:51.41155');
INSERT INTO public.goose_db_version VALUES (7, 21, true, '2026-11-26 19:25:51.414428');
INSERT INTO public.goose_db_version VALUES (8, 22, true, '2026-11-26 19:25:51.455762');
INSERT INTO public.goose_db_version VALUES (9, 23, true, '2026-11-26 19:25:51.489303');
INSERT INTO public.goose_db_version VALUES (10, 24, true, '2026-11-26 19:25:51.510067');
INSERT INTO public.goose_db_version VALUES (11, 40, true, '2026-11-26 19:25:51.572454');
INSERT INTO public.goose_db_version VALUES (12, 50, true, '2026-11-26 19:25:51.637844');
INSERT INTO public.goose_db_version VALUES (13, 60, true, '2026-11-26 19:25:51.645992');
INSERT INTO public.goose_db_version VALUES (14, 70, true, '2026-11-26 19:25:51.675257');
INSERT INTO public.goose_db_version VALUES (15, 90, true, '2026-11-26 19:25:51.98178');
INSERT INTO public.goose_db_version VALUES (16, 91, true, '2026-11-26 19:25:51.983277');
INSERT INTO public.goose_db_version VALUES (17, 160, true, '2026-11-26 19:25:52.012394');
INSERT INTO public.goose_db_version VALUES (18, 170, true, '2026-11-26 19:25:52.088689');


--
-- Data for Name: group_members; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: guest_bmcs; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: hypervisors; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: inspection_rules; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: node_history; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.node_history OVERRIDING SYSTEM VALUE VALUES (1, '59510d9f-1fb4-4c65-abc7-b9625a5d6ce8', '87b13abc-f787-4dc3-a731-f16656fef01b', 1, 1795721152267046, 'INFO', 'transition', 'enroll -> verifying', '', 'older', 'verifying', 'manageable', 0, '');
INSERT INTO public.node_history OVERRIDING SYSTEM VALUE VALUES (2, '0c6cce13-ed11-4bc2-98b1-f13e8905b1ab', '87b13abc-f787-4dc3-a731-f16656fef01b', 2, 1795721152331284, 'INFO', 'transition', 'verifying -> manageable', '', 'older', 'manageable', '', 64238, '');
INSERT INTO public.node_history OVERRIDING SYSTEM VALUE VALUES (3, 'c2bd9318-b79a-4ad0-abb2-870aa1023fb8', '0294bd11-c1f5-4aba-8c44-eb8187467bab', 1, 1795721152552061, 'INFO', 'transition', 'enroll -> verifying', '', 'older', 'verifying', 'manageable', 0, '');
INSERT INTO public.node_history OVERRIDING SYSTEM VALUE VALUES (4, '922e7d95-fb4b-4bd4-bce9-034321715f23', '0294bd11-c1f5-4aba-8c44-eb8187467bab', 2, 1795721152606496, 'INFO', 'transition', 'verifying -> manageable', '', 'older', 'manageable', '', 54435, '');
INSERT INTO public.node_history OVERRIDING SYSTEM VALUE VALUES (5, '4a9bb605-8a56-4ee4-a05d-b85a974dec9f', '0e030ef7-eee2-4898-8544-be28414a7f25', 1, 1795721152771800, 'INFO', 'transition', 'enroll -> verifying', '', 'older', 'verifying', 'manageable', 0, '');
INSERT INTO public.node_history OVERRIDING SYSTEM VALUE VALUES (6, '98e38ef3-3222-4b03-b588-eef14b5d9287', '0e030ef7-eee2-4898-8544-be28414a7f25', 2, 1795721152787394, 'INFO', 'transition', 'verifying -> manageable', '', 'older', 'manageable', '', 15594, '');
INSERT INTO public.node_history OVERRIDING SYSTEM VALUE VALUES (7, '10c44991-655a-47d8-80b0-29976b0d181b', '132aa267-21fa-45c7-9a8b-6fea981ae90f', 1, 1795721153027144, 'INFO', 'transition', 'enroll -> verifying', '', 'older', 'verifying', 'manageable', 0, '');
INSERT INTO public.node_history OVERRIDING SYSTEM VALUE VALUES (8, '8affe6de-e766-4e0d-b05d-45656f9e8990', '132aa267-21fa-45c7-9a8b-6fea981ae90f', 2, 1795721153080056, 'INFO', 'transition', 'verifying -> manageable', '', 'older', 'manageable', '', 52912, '');
INSERT INTO public.node_history OVERRIDING SYSTEM VALUE VALUES (9, '56da1f67-7752-4abd-9491-54da8eaf9b80', '87b13abc-f787-4dc3-a731-f16656fef01b', 3, 1795721153266762, 'INFO', 'transition', 'manageable -> cleaning', '', 'older', 'cleaning', 'available', 935478, '');
INSERT INTO public.node_history OVERRIDING SYSTEM VALUE VALUES (10, '7d5291e4-d291-4b63-9d17-1b41ae0c81e6', '87b13abc-f787-4dc3-a731-f16656fef01b', 4, 1795721153315654, 'INFO', 'transition', 'cleaning -> clean wait', '', 'older', 'clean wait', 'available', 48892, '');
INSERT INTO public.node_history OVERRIDING SYSTEM VALUE VALUES (11, '48a9f0b4-ae02-4c78-91a8-7ac460fe5653', '87b13abc-f787-4dc3-a731-f16656fef01b', 5, 1795721163324374, 'INFO', 'transition', 'clean wait -> cleaning', '', 'older', 'cleaning', 'available', 10008720, '');
INSERT INTO public.node_history OVERRIDING SYSTEM VALUE VALUES (12, '5cb96443-421a-4171-81dc-5a4f54884edc', '87b13abc-f787-4dc3-a731-f16656fef01b', 6, 1795721163356545, 'INFO', 'transition', 'cleaning -> clean wait', '', 'older', 'clean wait', 'available', 32171, '');
INSERT INTO public.node_history OVERRIDING SYSTEM VALUE VALUES (13, 'bc603573-d661-4514-94af-c9dd7ccfa6fa', '87b13abc-f787-4dc3-a731-f16656fef01b', 7, 1795721163404377, 'INFO', 'transition', 'clean wait -> cleaning', '', 'older', 'cleaning', 'available', 47832, '');
INSERT INTO public.node_history OVERRIDING SYSTEM VALUE VALUES (14, '3b2c20a9-54a1-44f6-b03b-4e223f159ee0', '87b13abc-f787-4dc3-a731-f16656fef01b', 8, 1795721163499186, 'INFO', 'transition', 'cleaning -> available', '', 'older', 'available', '', 94809, '');
INSERT INTO public.node_history OVERRIDING SYSTEM VALUE VALUES (15, 'c7dee38e-464b-4692-926b-503964046b17', '0294bd11-c1f5-4aba-8c44-eb8187467bab', 3, 1795721163626146, 'INFO', 'transition', 'manageable -> cleaning', '', 'older', 'cleaning', 'available', 11019650, '');
INSERT INTO public.node_history OVERRIDING SYSTEM VALUE VALUES (16, 'cbd43481-fffc-4da3-bffa-89a724ecf803', '0294bd11-c1f5-4aba-8c44-eb8187467bab', 4, 1795721163898345, 'INFO', 'transition', 'cleaning -> clean wait', '', 'older', 'clean wait', 'available', 272199, '');
INSERT INTO public.node_history OVERRIDING SYSTEM VALUE VALUES (17, '19eb79f8-cfef-4565-85a0-656b8bca73fe', '0294bd11-c1f5-4aba-8c44-eb8187467bab', 5, 1795721163939934, 'INFO', 'transition', 'clean wait -> cleaning', '', 'older', 'cleaning', 'available', 41589, '');
INSERT INTO public.node_history OVERRIDING SYSTEM VALUE VALUES (18, '2237bfb9-b88f-4db3-9684-a778912883c9', '0294bd11-c1f5-4aba-8c44-eb8187467bab', 6, 1795721163992372, 'INFO', 'transition', 'cleaning -> available', '', 'older', 'available', '', 52438, '');
INSERT INTO public.node_history OVERRIDING SYSTEM VALUE VALUES (19, '65904a31-4a2d-4be2-9194-f6a3843af0fd', '132aa267-21fa-45c7-9a8b-6fea981ae90f', 3, 1795721164109000, 'INFO', 'transition', 'manageable -> cleaning', '', 'older', 'cleaning', 'available', 11028944, '');
INSERT INTO public.node_history OVERRIDING SYSTEM VALUE VALUES (20, '846eaa99-522e-4a25-b61b-345aaed9a672', '132aa267-21fa-45c7-9a8b-6fea981ae90f', 4, 1795721164202043, 'INFO', 'transition', 'cleaning -> clean wait', '', 'older', 'clean wait', 'available', 93043, '');
INSERT INTO public.node_history OVERRIDING SYSTEM VALUE VALUES (21, '80935b20-3743-4e47-9685-21a9bc97adf9', '132aa267-21fa-45c7-9a8b-6fea981ae90f', 5, 1795721164221046, 'INFO', 'transition', 'clean wait -> cleaning', '', 'older', 'cleaning', 'available', 19003, '');
INSERT INTO public.node_history OVERRIDING SYSTEM VALUE VALUES (22, 'b022c72c-3c37-4cf0-92d0-277ff44b72a2', '132aa267-21fa-45c7-9a8b-6fea981ae90f', 6, 1795721164246051, 'INFO', 'transition', 'cleaning -> clean wait', '', 'older', 'clean wait', 'available', 25005, '');
INSERT INTO public.node_history OVERRIDING SYSTEM VALUE VALUES (23, '7c2cdf0e-b75a-4fe3-8274-e2d75a584278', '132aa267-21fa-45c7-9a8b-6fea981ae90f', 7, 1795721164284808, 'INFO', 'transition', 'clean wait -> cleaning', '', 'older', 'cleaning', 'available', 38757, '');
INSERT INTO public.node_history OVERRIDING SYSTEM VALUE VALUES (24, '22f16f8b-042a-49cb-a237-d84f8425c596', '132aa267-21fa-45c7-9a8b-6fea981ae90f', 8, 1795721164334724, 'INFO', 'transition', 'cleaning -> available', '', 'older', 'available', '', 49916, '');
INSERT INTO public.node_history OVERRIDING SYSTEM VALUE VALUES (25, '20ed2444-5457-49da-a270-3c1650befc94', '0294bd11-c1f5-4aba-8c44-eb8187467bab', 7, 1795721164468752, 'INFO', 'transition', 'available -> deploying', '', 'older', 'deploying', 'active', 476380, '');
INSERT INTO public.node_history OVERRIDING SYSTEM VALUE VALUES (26, '608c9cb3-16d6-46e8-91a5-7c427ea280f9', '0294bd11-c1f5-4aba-8c44-eb8187467bab', 8, 1795721164617015, 'INFO', 'transition', 'deploying -> wait call-back', '', 'older', 'wait call-back', 'active', 148263, '');
INSERT INTO public.node_history OVERRIDING SYSTEM VALUE VALUES (27, '60bb90db-ac19-4c29-9fe4-3d346da69334', '0294bd11-c1f5-4aba-8c44-eb8187467bab', 9, 1795721174626817, 'INFO', 'transition', 'wait call-back -> deploying', '', 'older', 'deploying', 'active', 10009802, '');
INSERT INTO public.node_history OVERRIDING SYSTEM VALUE VALUES (28, '4f80851b-c8c1-4b8c-9635-2cc4d53c187b', '0294bd11-c1f5-4aba-8c44-eb8187467bab', 10, 1795721174670181, 'INFO', 'transition', 'deploying -> wait call-back', '', 'older', 'wait call-back', 'active', 43364, '');
INSERT INTO public.node_history OVERRIDING SYSTEM VALUE VALUES (29, '30344d9f-22ef-4b06-8336-1faf507c4afa', '0294bd11-c1f5-4aba-8c44-eb8187467bab', 11, 1795721174961863, 'INFO', 'transition', 'wait call-back -> deploying', '', 'older', 'deploying', 'active', 291682, '');
INSERT INTO public.node_history OVERRIDING SYSTEM VALUE VALUES (30, '89f556c9-a1cc-431b-ab00-513cfd7a8eae', '0294bd11-c1f5-4aba-8c44-eb8187467bab', 12, 1795721175182200, 'INFO', 'transition', 'deploying -> active', '', 'older', 'active', '', 220337, '');
INSERT INTO public.node_history OVERRIDING SYSTEM VALUE VALUES (31, '46f446f1-0a44-49b5-a484-9eb52c5e3d9f', '132aa267-21fa-45c7-9a8b-6fea981ae90f', 9, 1795721175298486, 'INFO', 'transition', 'available -> deploying', '', 'older', 'deploying', 'active', 10963762, '');
INSERT INTO public.node_history OVERRIDING SYSTEM VALUE VALUES (32, '06fa1316-d4a6-441a-ac44-a247915ce72e', '132aa267-21fa-45c7-9a8b-6fea981ae90f', 10, 1795721175522049, 'INFO', 'transition', 'deploying -> wait call-back', '', 'older', 'wait call-back', 'active', 223563, '');
INSERT INTO public.node_history OVERRIDING SYSTEM VALUE VALUES (33, '510fbd49-33ee-4137-aead-533895d8751e', '132aa267-21fa-45c7-9a8b-6fea981ae90f', 11, 1795721175629112, 'INFO', 'transition', 'wait call-back -> deploying', '', 'older', 'deploying', 'active', 107063, '');
INSERT INTO public.node_history OVERRIDING SYSTEM VALUE VALUES (34, '3fc8fd32-c595-4f84-abaa-f6f2599b0bbb', '132aa267-21fa-45c7-9a8b-6fea981ae90f', 12, 1795721175638572, 'INFO', 'transition', 'deploying -> wait call-back', '', 'older', 'wait call-back', 'active', 9460, '');
INSERT INTO public.node_history OVERRIDING SYSTEM VALUE VALUES (35, 'd0ede93f-f766-4a52-b2a0-849feb5894eb', '132aa267-21fa-45c7-9a8b-6fea981ae90f', 13, 1795721175886795, 'INFO', 'transition', 'wait call-back -> deploying', '', 'older', 'deploying', 'active', 248223, '');
INSERT INTO public.node_history OVERRIDING SYSTEM VALUE VALUES (36, 'fe7f00d8-6007-4c22-a8ee-a4065312ad32', '132aa267-21fa-45c7-9a8b-6fea981ae90f', 14, 1795721175964825, 'INFO', 'transition', 'deploying -> active', '', 'older', 'active', '', 78030, '');
INSERT INTO public.node_history OVERRIDING SYSTEM VALUE VALUES (37, 'be4975e9-51ef-4888-a6fc-244cec1f66da', '87b13abc-f787-4dc3-a731-f16656fef01b', 9, 1795721177130122, 'INFO', 'transition', 'available -> deploying', '', 'older', 'deploying', 'active', 13630936, '');
INSERT INTO public.node_history OVERRIDING SYSTEM VALUE VALUES (38, '6f462977-ffcc-4b5a-80fb-e2006c193214', '87b13abc-f787-4dc3-a731-f16656fef01b', 10, 1795721177521887, 'INFO', 'transition', 'deploying -> wait call-back', '', 'older', 'wait call-back', 'active', 391765, '');
INSERT INTO public.node_history OVERRIDING SYSTEM VALUE VALUES (39, '623a7060-bcb1-4a66-af65-97961f1983fc', '0294bd11-c1f5-4aba-8c44-eb8187467bab', 13, 1795721177616450, 'INFO', 'transition', 'active -> deleting', '', 'older', 'deleting', 'available', 2434250, '');
INSERT INTO public.node_history OVERRIDING SYSTEM VALUE VALUES (41, '6e70313a-be33-4577-840e-5f271e626a51', '0294bd11-c1f5-4aba-8c44-eb8187467bab', 15, 1795721177896272, 'INFO', 'transition', 'cleaning -> clean wait', '', 'older', 'clean wait', 'available', 157070, '');
INSERT INTO public.node_history OVERRIDING SYSTEM VALUE VALUES (42, '23d91ff0-398c-4f35-9875-938a2e5d00e2', '0e030ef7-eee2-4898-8544-be28414a7f25', 3, 1795721178214330, 'INFO', 'transition', 'manageable -> inspecting', '', 'older', 'inspecting', 'manageable', 25426936, '');
INSERT INTO public.node_history OVERRIDING SYSTEM VALUE VALUES (40, 'b008cb40-caf2-4fff-863d-c5a7426804e0', '0294bd11-c1f5-4aba-8c44-eb8187467bab', 14, 1795721177739202, 'INFO', 'transition', 'deleting -> cleaning', '', 'older', 'cleaning', 'available', 122752, '');
INSERT INTO public.node_history OVERRIDING SYSTEM VALUE VALUES (43, '0919fc96-2907-4d97-9dde-841483d041ed', '0e030ef7-eee2-4898-8544-be28414a7f25', 4, 1795721178488813, 'INFO', 'transition', 'inspecting -> inspect wait', '', 'older', 'inspect wait', 'manageable', 274483, '');


--
-- Data for Name: node_inventory; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: nodes; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.nodes OVERRIDING SYSTEM VALUE VALUES (1, '87b13abc-f787-4dc3-a731-f16656fef01b', 22, 'deploying', 'fake-hardware', NULL, NULL, NULL, NULL, '', '', '', 'power on', '', 'wait call-back', 'active', 1795721177521887, '', '', false, '', '', false, 'uefi', false, NULL, NULL, NULL, NULL, NULL, 0, 0, '', '', 'older', NULL, false, '', '', '', '', '', false, '', NULL, '', '', false, 'fake', 'fake', 'fake', 'fake', 'fake', 'fake', 'fake', 'noop', 'fake', 'fake', 'fake', 'fake', 'fake', NULL, NULL, '{"action":"kernel","purpose":"deploy"}', NULL, 1795721152242545, 1795721177528959, '\x01db99112885cfbe6455eed24ad18ab2c330e4d9f45c80041c67cf8c124919f74a908812acac40910e91f77328b88d2c7a8c533accbf96521ec8c2568a7f41f73050d38c912490fd84cf581e68e8c515f5e71632ee5908f45ed8d12b4ccff3abae3299402894dc8b7c17c9419a6cab1485', NULL, '');
INSERT INTO public.nodes OVERRIDING SYSTEM VALUE VALUES (4, '132aa267-21fa-45c7-9a8b-6fea981ae90f', 33, 'idle', 'fake-hardware', NULL, NULL, NULL, NULL, '', '', '', 'power on', '', 'active', '', 1795721175964825, '', '', false, '', '', false, 'uefi', false, NULL, NULL, NULL, NULL, NULL, 0, 0, '', '', 'older', NULL, false, '', '', '', '', '', false, '', NULL, '', '', false, 'fake', 'fake', 'fake', 'fake', 'fake', 'fake', 'fake', 'noop', 'fake', 'fake', 'fake', 'fake', 'fake', NULL, NULL, '{"action":"local-disk","purpose":"instance"}', NULL, 1795721152994562, 1795721175971963, NULL, NULL, '');
INSERT INTO public.nodes OVERRIDING SYSTEM VALUE VALUES (5, 'd9fe2a34-dc88-426c-a2c3-3ffd518053c6', 1, 'secret', 'ipmi', '{"ipmi_address":"192.0.2.1","ipmi_password":null,"ipmi_username":"admin"}', NULL, NULL, NULL, '', '', '', '', '', 'enroll', '', 0, '', '', false, '', '', false, '', NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, '', '', '', NULL, false, '', '', '', '', '', false, '', NULL, '', '', false, 'no-bios', 'ipxe', 'no-console', 'direct', 'no-firmware', 'agent', 'ipmitool', 'noop', 'ipmitool', 'no-raid', 'agent', 'noop', 'ipmitool', NULL, NULL, NULL, NULL, 1795721176109711, 0, '\x01db991128667a6abc576dda483fc101a4c813b283004c681ab6be6e1c12f8d25cc21f3ba4d1a1d2697674afb4c96d9086a56bd800ba93bd5d3a1b4cd0115aa397375750c13b1231758ee9eb', NULL, '');
INSERT INTO public.nodes OVERRIDING SYSTEM VALUE VALUES (3, '0e030ef7-eee2-4898-8544-be28414a7f25', 9, 'inspecting', 'fake-hardware', NULL, NULL, NULL, NULL, '', '', '', 'power on', '', 'inspect wait', 'manageable', 1795721178488813, '', '', false, '', '', false, 'uefi', false, NULL, NULL, NULL, NULL, NULL, 1795721178260387, 0, '', '', 'older', NULL, false, '', '', '', '', '', false, '', NULL, '', '', false, 'fake', 'fake', 'fake', 'fake', 'fake', 'fake', 'fake', 'noop', 'fake', 'fake', 'fake', 'fake', 'fake', NULL, NULL, '{"action":"kernel","purpose":"inspect"}', NULL, 1795721152745627, 1795721178527308, '\x01db9911289b9c8c818f16a549aaeb1945ff71c2010d909560cc3b146bd77bf672d1cbd3e3141cb31d806f49d570ee1c0b191c1e3fbfcfbb28e8e66d6df04de10fc2240a6173d02fcb97e9fcd6233ea7cd7367d1c69f8d4c3dcf4123d0a446a8b01a72f9e7aded35f2345a4baadf9425f8', NULL, '');
INSERT INTO public.nodes OVERRIDING SYSTEM VALUE VALUES (2, '0294bd11-c1f5-4aba-8c44-eb8187467bab', 39, 'deleting', 'fake-hardware', NULL, NULL, NULL, '{}', '', '', '', 'power on', '', 'clean wait', 'available', 1795721177896272, '', '', false, '', '', false, 'uefi', false, NULL, NULL, NULL, NULL, NULL, 0, 0, '', '', 'older', NULL, false, '', '', '', '', '', false, '', NULL, '', '', false, 'fake', 'fake', 'fake', 'fake', 'fake', 'fake', 'fake', 'noop', 'fake', 'fake', 'fake', 'fake', 'fake', NULL, NULL, '{"action":"kernel","purpose":"clean"}', NULL, 1795721152485210, 1795721177906947, '\x01db991128b741c5cfd5f24b9f18bbaf09cf939e062e14dd05874611873d1d9d7536088bbb4fdc25149dfd2c14acbefe77b6a067398f18e4966999772e97eefc0c1619df4a87af86aebab3d00399779d3c9bd9c5e930dcb5c033a45e9f483928759449b6b9301d97d500326a7d268e65ff', NULL, '');


--
-- Data for Name: operation_nodes; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.operation_nodes VALUES ('87b13abc-f787-4dc3-a731-f16656fef01b', 'provision', '4056b2a6-36f4-49d9-bf39-8fa943838be5');
INSERT INTO public.operation_nodes VALUES ('0294bd11-c1f5-4aba-8c44-eb8187467bab', 'provision', 'b12bffae-3a6c-4f7e-b6a7-310b5ba3fda7');
INSERT INTO public.operation_nodes VALUES ('0e030ef7-eee2-4898-8544-be28414a7f25', 'provision', '61972d73-f0a4-4854-946a-759386a45653');


--
-- Data for Name: operation_steps; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.operation_steps VALUES ('7909248b-0560-4c5e-a7f2-8b307f479e58', 0, 'deploy', 'erase_devices_metadata', NULL, 99, true, 'agent', 'done', 1, NULL, '');
INSERT INTO public.operation_steps VALUES ('7909248b-0560-4c5e-a7f2-8b307f479e58', 1, 'vendor', 'log_passthrough', NULL, 1, false, 'driver', 'done', 1, NULL, '');
INSERT INTO public.operation_steps VALUES ('70aa7b0e-8c12-43fa-baff-37917b473bd4', 0, 'deploy', 'erase_devices_metadata', NULL, 99, true, 'agent', 'done', 1, NULL, '');
INSERT INTO public.operation_steps VALUES ('70aa7b0e-8c12-43fa-baff-37917b473bd4', 1, 'vendor', 'log_passthrough', NULL, 1, false, 'driver', 'done', 1, NULL, '');
INSERT INTO public.operation_steps VALUES ('e334f609-4ceb-4813-8a46-323cf32c8405', 0, 'deploy', 'erase_devices_metadata', NULL, 99, true, 'agent', 'done', 1, NULL, '');
INSERT INTO public.operation_steps VALUES ('e334f609-4ceb-4813-8a46-323cf32c8405', 1, 'vendor', 'log_passthrough', NULL, 1, false, 'driver', 'done', 1, NULL, '');
INSERT INTO public.operation_steps VALUES ('741ccdca-3bdf-4ecb-8e5b-88de8c6f1c70', 0, 'deploy', 'write_image', NULL, 80, false, 'plan', 'done', 1, NULL, '');
INSERT INTO public.operation_steps VALUES ('741ccdca-3bdf-4ecb-8e5b-88de8c6f1c70', 1, 'deploy', 'prepare_instance_boot', NULL, 60, false, 'plan', 'done', 1, NULL, '');
INSERT INTO public.operation_steps VALUES ('32c51f5c-1297-4dd6-a3c9-551d1381b799', 0, 'deploy', 'write_image', NULL, 80, false, 'plan', 'done', 1, NULL, '');
INSERT INTO public.operation_steps VALUES ('32c51f5c-1297-4dd6-a3c9-551d1381b799', 1, 'deploy', 'prepare_instance_boot', NULL, 60, false, 'plan', 'done', 1, NULL, '');


--
-- Data for Name: operations; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.operations OVERRIDING SYSTEM VALUE VALUES (1, '015e5bc4-d725-4e0d-a8e9-e351dc0927dc', 'verify', '87b13abc-f787-4dc3-a731-f16656fef01b', 'provision', '{}', 'forward', 'read-hardware', 0, 1, 0, 1795721152322780, 1795721152322780, 1795721152267172, '{}', '', '', '', 'done', '', '', '', false, 1795721152267172, 1795721152331284, NULL, '');
INSERT INTO public.operations OVERRIDING SYSTEM VALUE VALUES (2, 'dd34e5e4-15fb-4200-ab43-c2f318f2b22f', 'verify', '0294bd11-c1f5-4aba-8c44-eb8187467bab', 'provision', '{}', 'forward', 'read-hardware', 0, 1, 0, 1795721152599261, 1795721152599261, 1795721152552137, '{}', '', '', '', 'done', '', '', '', false, 1795721152552137, 1795721152606496, NULL, '');
INSERT INTO public.operations OVERRIDING SYSTEM VALUE VALUES (3, '6ec0cf36-8890-4794-a091-7496b87da9e8', 'verify', '0e030ef7-eee2-4898-8544-be28414a7f25', 'provision', '{}', 'forward', 'read-hardware', 0, 1, 0, 1795721152778209, 1795721152778209, 1795721152771883, '{}', '', '', '', 'done', '', '', '', false, 1795721152771883, 1795721152787394, NULL, '');
INSERT INTO public.operations OVERRIDING SYSTEM VALUE VALUES (4, '277ac3cc-980f-44be-8933-6588c2b0e5e9', 'verify', '132aa267-21fa-45c7-9a8b-6fea981ae90f', 'provision', '{}', 'forward', 'read-hardware', 0, 1, 0, 1795721153064282, 1795721153064282, 1795721153027223, '{}', '', '', '', 'done', '', '', '', false, 1795721153027223, 1795721153080056, NULL, '');
INSERT INTO public.operations OVERRIDING SYSTEM VALUE VALUES (5, '7909248b-0560-4c5e-a7f2-8b307f479e58', 'provide', '87b13abc-f787-4dc3-a731-f16656fef01b', 'provision', '{}', 'forward', 'leave-ramdisk', 0, 1, 0, 1795721163428709, 1795721163428709, 1795721153266857, '{"boot_token_1":null,"hardware_manager_version":{"fake":"1"}}', '73e9866de3ec20ed7948d2f53fe9b5c4a73018dbf9fd96317ed1434ed6053089', '', '', 'done', '', '', '', false, 1795721153266857, 1795721163499186, '\x01db9911289229bf9d68308b258b277de219ebb8644b05285e505fa2ca2c043a5f82495858899a0ce36e6628d6f616d9b8780bf52e2566b9adc1bf7a23da2d84706c853901a6593b3f694ab49bd0bef315c955cd570a88c46965c759ded40f092adbc01bf974c00c19a7cefc4355452d38e48c8aeac7a73cc08a', '');
INSERT INTO public.operations OVERRIDING SYSTEM VALUE VALUES (6, '70aa7b0e-8c12-43fa-baff-37917b473bd4', 'provide', '0294bd11-c1f5-4aba-8c44-eb8187467bab', 'provision', '{}', 'forward', 'leave-ramdisk', 0, 1, 0, 1795721163977467, 1795721163977467, 1795721163626472, '{"boot_token_1":null,"hardware_manager_version":{"fake":"1"}}', '9975c2eadb78c2fecad6c83229081cc615f41f41b8aa8ef9eef9ca824b05dea6', '', '', 'done', '', '', '', false, 1795721163626472, 1795721163992372, '\x01db991128757ee68253aea314abafc4f39454ddf04cec9564ebd59b52d3022102bece13de62336a5af2bd94399ebd39aad5a9f52da42b20fff1daea9153ca97da6633c66cf7bba215b94524ea83463d88afd69fa7fefeff87fac116a1a1d93339d44cdc999346d37a612a939364861e1635cbfed66d94e6109b', '');
INSERT INTO public.operations OVERRIDING SYSTEM VALUE VALUES (7, 'e334f609-4ceb-4813-8a46-323cf32c8405', 'provide', '132aa267-21fa-45c7-9a8b-6fea981ae90f', 'provision', '{}', 'forward', 'leave-ramdisk', 0, 1, 0, 1795721164324929, 1795721164324929, 1795721164109145, '{"boot_token_1":null,"hardware_manager_version":{"fake":"1"}}', 'd6ae060bc489dd7c992a4cef9f6b7758fa005d0493302516ed521436b4ce5a2f', '', '', 'done', '', '', '', false, 1795721164109145, 1795721164334724, '\x01db991128cdd7d4577b2e17e1fc5ff2dd273830ab122092c996a73b30520e1bb131d48721c786d7f3694f170025c905c41dd3a25b3655fd73975915bc90a9f622443848644e1929155bb1701d5ac824d55035cbfcd21ee2b2354b57888226888e221a9753b216434abffd8e836d7cb500b51e24fcbdac93bfe9', '');
INSERT INTO public.operations OVERRIDING SYSTEM VALUE VALUES (8, '741ccdca-3bdf-4ecb-8e5b-88de8c6f1c70', 'deploy', '0294bd11-c1f5-4aba-8c44-eb8187467bab', 'provision', '{}', 'forward', 'power-on-instance', 0, 1, 0, 1795721175165069, 1795721175165069, 1795721164468929, '{"boot_token_1":null,"hardware_manager_version":{"fake":"1"}}', '49f2f5602098cf5d57567c36842fcfb5b248dd165436daccd446530a107f3208', '', '', 'done', '', '', '', false, 1795721164468929, 1795721175182200, '\x01db991128d4b7f92ee66b7230c3365b8a21c44b6d655123d076753c1eb43bd691877c7ae4458cda155b996eb0c62f71b6e799f9f712db1ca55c3917383ff1da9df89574f77209774842ff5295f902aa64e787ecb9415b8cf7d1d46c6533e20f7ab8a332099d0c02942000921d74fe6ace060b937c1a617f2231', '');
INSERT INTO public.operations OVERRIDING SYSTEM VALUE VALUES (9, '32c51f5c-1297-4dd6-a3c9-551d1381b799', 'deploy', '132aa267-21fa-45c7-9a8b-6fea981ae90f', 'provision', '{}', 'forward', 'power-on-instance', 0, 1, 0, 1795721175958203, 1795721175958203, 1795721175298578, '{"boot_token_1":null,"hardware_manager_version":{"fake":"1"}}', '51f7c8b5905c605695dd64a159a860e7cf317865b873c4883dd092f08269dbb3', '', '', 'done', '', '', '', false, 1795721175298578, 1795721175964825, '\x01db99112875b6badc38f2ce761dd497a58bedbc522fe4d959c94ba631bfbc2d66f2849f92a3e7072fc1e701cb92ffe39dcb194e6655e2dea29b06c9d30e338a8cf638c3980023022f5885a5ec7c1aef94816b020d036d05a3741b3e2b3befb7d1864448f5d40d003ed757370a81c9f1c0084bfff5d711c0e44e', '');
INSERT INTO public.operations OVERRIDING SYSTEM VALUE VALUES (10, '4056b2a6-36f4-49d9-bf39-8fa943838be5', 'deploy', '87b13abc-f787-4dc3-a731-f16656fef01b', 'provision', '{}', 'forward', 'agent', 0, 1, 0, 1795721187521887, 1795721177449076, 1795721177130369, '{"boot_token_1":null}', '', 'waiting for the agent to call; nothing was seen of the machine on the boot networks', '', '', '', '', '', false, 1795721177130369, 0, '\x01db991128c652383e063642e1ee98c8fae45546840e5379a4f55a4fd8d2d75e3b931bd61774269d30ae001ea5cb8e9d6ab7e91212b61bd7752b8591b7970e0765f22b44224dbc4832c44965db63b446ea2b7ec410d7a6f3c98d079f55a7e22227351f58a7f2cb0f41b2f73698b9c05f22c17e22701dd82688d4', '');
INSERT INTO public.operations OVERRIDING SYSTEM VALUE VALUES (11, 'b12bffae-3a6c-4f7e-b6a7-310b5ba3fda7', 'delete', '0294bd11-c1f5-4aba-8c44-eb8187467bab', 'provision', '{}', 'forward', 'agent', 0, 1, 0, 1795721187896272, 1795721177888891, 1795721177616671, '{"boot_token_1":null}', '', 'waiting for the agent to call; nothing was seen of the machine on the boot networks', '', '', '', '', '', false, 1795721177616671, 0, '\x01db991128fd1b299d7384c008133d336b69c5236cb5363aa84c036a162a8493dc284539294e2d596453b822a21b5d7c4711ced3906d7beaba44881f79b1fbcc9706a215a9c7eacacf4f6eae937e04125f76dad8e8a212615625ad659263332eb7060e25298b89e2e2a6c5c4db3abbede1107747857487a49ece', '');
INSERT INTO public.operations OVERRIDING SYSTEM VALUE VALUES (12, '61972d73-f0a4-4854-946a-759386a45653', 'inspect', '0e030ef7-eee2-4898-8544-be28414a7f25', 'provision', '{}', 'forward', 'inventory', 0, 1, 0, 1795721188488813, 1795721178374404, 1795721178214500, '{"boot_token_1":null}', '', 'waiting for the agent''s inventory; nothing was seen of the machine on the boot networks', '', '', '', '', '', false, 1795721178214500, 0, '\x01db9911282f2ea684131f7740593dcfa642135d48a4e62664ee1ba8ac0a69dbc240123634b40184a6aaee7958586b0bc489354d537b6f8dc3ccc62aaa90da7b12d38080e0ff92b77943e118c9fa25ca023d60e47210ed932805a6a67b5c391bec3b5497bb4eb766c57328bc7d4149c438e7d9279f1da2708aa0', '');


--
-- Data for Name: portgroups; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: ports; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: runbooks; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: volume_connectors; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: volume_targets; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Name: allocations_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.allocations_id_seq', 1, false);


--
-- Name: chassis_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.chassis_id_seq', 1, false);


--
-- Name: deploy_templates_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.deploy_templates_id_seq', 1, false);


--
-- Name: flavors_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.flavors_id_seq', 1, false);


--
-- Name: goose_db_version_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.goose_db_version_id_seq', 18, true);


--
-- Name: guest_bmcs_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.guest_bmcs_id_seq', 1, false);


--
-- Name: hypervisors_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.hypervisors_id_seq', 1, false);


--
-- Name: inspection_rules_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.inspection_rules_id_seq', 1, false);


--
-- Name: node_history_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.node_history_id_seq', 43, true);


--
-- Name: nodes_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.nodes_id_seq', 5, true);


--
-- Name: operations_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.operations_id_seq', 12, true);


--
-- Name: portgroups_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.portgroups_id_seq', 1, false);


--
-- Name: ports_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.ports_id_seq', 1, false);


--
-- Name: runbooks_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.runbooks_id_seq', 1, false);


--
-- Name: volume_connectors_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.volume_connectors_id_seq', 1, false);


--
-- Name: volume_targets_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.volume_targets_id_seq', 1, false);


--
-- Name: allocations allocations_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.allocations
    ADD CONSTRAINT allocations_pkey PRIMARY KEY (id);


--
-- Name: allocations allocations_uuid_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.allocations
    ADD CONSTRAINT allocations_uuid_key UNIQUE (uuid);


--
-- Name: bios_settings bios_settings_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.bios_settings
    ADD CONSTRAINT bios_settings_pkey PRIMARY KEY (node_uuid, name);


--
-- Name: blobs blobs_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.blobs
    ADD CONSTRAINT blobs_pkey PRIMARY KEY (key);


--
-- Name: bmc_leases bmc_leases_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.bmc_leases
    ADD CONSTRAINT bmc_leases_pkey PRIMARY KEY (address);


--
-- Name: capacities capacities_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.capacities
    ADD CONSTRAINT capacities_pkey PRIMARY KEY (host, resource);


--
-- Name: chassis chassis_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.chassis
    ADD CONSTRAINT chassis_pkey PRIMARY KEY (id);


--
-- Name: chassis chassis_uuid_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.chassis
    ADD CONSTRAINT chassis_uuid_key UNIQUE (uuid);


--
-- Name: claims claims_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.claims
    ADD CONSTRAINT claims_pkey PRIMARY KEY (guest, host, resource);


--
-- Name: conductors conductors_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.conductors
    ADD CONSTRAINT conductors_pkey PRIMARY KEY (hostname);


--
-- Name: deploy_templates deploy_templates_name_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.deploy_templates
    ADD CONSTRAINT deploy_templates_name_key UNIQUE (name);


--
-- Name: deploy_templates deploy_templates_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.deploy_templates
    ADD CONSTRAINT deploy_templates_pkey PRIMARY KEY (id);


--
-- Name: deploy_templates deploy_templates_uuid_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.deploy_templates
    ADD CONSTRAINT deploy_templates_uuid_key UNIQUE (uuid);


--
-- Name: dhcp_leases dhcp_leases_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.dhcp_leases
    ADD CONSTRAINT dhcp_leases_pkey PRIMARY KEY (network, mac);


--
-- Name: encryption_keys encryption_keys_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.encryption_keys
    ADD CONSTRAINT encryption_keys_pkey PRIMARY KEY (id);


--
-- Name: events events_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (id);


--
-- Name: firmware_components firmware_components_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.firmware_components
    ADD CONSTRAINT firmware_components_pkey PRIMARY KEY (node_uuid, component);


--
-- Name: flavors flavors_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.flavors
    ADD CONSTRAINT flavors_pkey PRIMARY KEY (id);


--
-- Name: flavors flavors_resource_class_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.flavors
    ADD CONSTRAINT flavors_resource_class_key UNIQUE (resource_class);


--
-- Name: flavors flavors_uuid_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.flavors
    ADD CONSTRAINT flavors_uuid_key UNIQUE (uuid);


--
-- Name: goose_db_version goose_db_version_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.goose_db_version
    ADD CONSTRAINT goose_db_version_pkey PRIMARY KEY (id);


--
-- Name: group_members group_members_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.group_members
    ADD CONSTRAINT group_members_pkey PRIMARY KEY (name, host);


--
-- Name: guest_bmcs guest_bmcs_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.guest_bmcs
    ADD CONSTRAINT guest_bmcs_pkey PRIMARY KEY (id);


--
-- Name: guest_bmcs guest_bmcs_port_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.guest_bmcs
    ADD CONSTRAINT guest_bmcs_port_key UNIQUE (port);


--
-- Name: guest_bmcs guest_bmcs_uuid_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.guest_bmcs
    ADD CONSTRAINT guest_bmcs_uuid_key UNIQUE (uuid);


--
-- Name: hypervisors hypervisors_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.hypervisors
    ADD CONSTRAINT hypervisors_pkey PRIMARY KEY (id);


--
-- Name: hypervisors hypervisors_uuid_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.hypervisors
    ADD CONSTRAINT hypervisors_uuid_key UNIQUE (uuid);


--
-- Name: inspection_rules inspection_rules_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.inspection_rules
    ADD CONSTRAINT inspection_rules_pkey PRIMARY KEY (id);


--
-- Name: inspection_rules inspection_rules_uuid_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.inspection_rules
    ADD CONSTRAINT inspection_rules_uuid_key UNIQUE (uuid);


--
-- Name: node_history node_history_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.node_history
    ADD CONSTRAINT node_history_pkey PRIMARY KEY (id);


--
-- Name: node_history node_history_uuid_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.node_history
    ADD CONSTRAINT node_history_uuid_key UNIQUE (uuid);


--
-- Name: node_inventory node_inventory_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.node_inventory
    ADD CONSTRAINT node_inventory_pkey PRIMARY KEY (node_uuid);


--
-- Name: nodes nodes_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.nodes
    ADD CONSTRAINT nodes_pkey PRIMARY KEY (id);


--
-- Name: nodes nodes_uuid_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.nodes
    ADD CONSTRAINT nodes_uuid_key UNIQUE (uuid);


--
-- Name: operation_nodes operation_nodes_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.operation_nodes
    ADD CONSTRAINT operation_nodes_pkey PRIMARY KEY (node_uuid, lane);


--
-- Name: operation_steps operation_steps_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.operation_steps
    ADD CONSTRAINT operation_steps_pkey PRIMARY KEY (operation, "position");


--
-- Name: operations operations_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.operations
    ADD CONSTRAINT operations_pkey PRIMARY KEY (id);


--
-- Name: operations operations_uuid_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.operations
    ADD CONSTRAINT operations_uuid_key UNIQUE (uuid);


--
-- Name: portgroups portgroups_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.portgroups
    ADD CONSTRAINT portgroups_pkey PRIMARY KEY (id);


--
-- Name: portgroups portgroups_uuid_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.portgroups
    ADD CONSTRAINT portgroups_uuid_key UNIQUE (uuid);


--
-- Name: ports ports_address_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.ports
    ADD CONSTRAINT ports_address_key UNIQUE (address);


--
-- Name: ports ports_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.ports
    ADD CONSTRAINT ports_pkey PRIMARY KEY (id);


--
-- Name: ports ports_uuid_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.ports
    ADD CONSTRAINT ports_uuid_key UNIQUE (uuid);


--
-- Name: runbooks runbooks_name_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.runbooks
    ADD CONSTRAINT runbooks_name_key UNIQUE (name);


--
-- Name: runbooks runbooks_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.runbooks
    ADD CONSTRAINT runbooks_pkey PRIMARY KEY (id);


--
-- Name: runbooks runbooks_uuid_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.runbooks
    ADD CONSTRAINT runbooks_uuid_key UNIQUE (uuid);


--
-- Name: volume_connectors volume_connectors_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.volume_connectors
    ADD CONSTRAINT volume_connectors_pkey PRIMARY KEY (id);


--
-- Name: volume_connectors volume_connectors_type_connector_id_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.volume_connectors
    ADD CONSTRAINT volume_connectors_type_connector_id_key UNIQUE (type, connector_id);


--
-- Name: volume_connectors volume_connectors_uuid_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.volume_connectors
    ADD CONSTRAINT volume_connectors_uuid_key UNIQUE (uuid);


--
-- Name: volume_targets volume_targets_node_uuid_boot_index_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.volume_targets
    ADD CONSTRAINT volume_targets_node_uuid_boot_index_key UNIQUE (node_uuid, boot_index);


--
-- Name: volume_targets volume_targets_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.volume_targets
    ADD CONSTRAINT volume_targets_pkey PRIMARY KEY (id);


--
-- Name: volume_targets volume_targets_uuid_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.volume_targets
    ADD CONSTRAINT volume_targets_uuid_key UNIQUE (uuid);


--
-- Name: allocations_name; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX allocations_name ON public.allocations USING btree (name) WHERE (name <> ''::text);


--
-- Name: allocations_node; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX allocations_node ON public.allocations USING btree (node_uuid) WHERE (node_uuid <> ''::text);


--
-- Name: allocations_state; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX allocations_state ON public.allocations USING btree (state);


--
-- Name: blobs_until; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX blobs_until ON public.blobs USING btree (until);


--
-- Name: claims_host; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX claims_host ON public.claims USING btree (host);


--
-- Name: dhcp_leases_address; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX dhcp_leases_address ON public.dhcp_leases USING btree (network, address);


--
-- Name: dhcp_leases_until; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX dhcp_leases_until ON public.dhcp_leases USING btree (until);


--
-- Name: group_members_guest; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX group_members_guest ON public.group_members USING btree (guest);


--
-- Name: hypervisors_host; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX hypervisors_host ON public.hypervisors USING btree (host_uuid) WHERE (host_uuid <> ''::text);


--
-- Name: node_history_turn; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX node_history_turn ON public.node_history USING btree (node_uuid, turn);


--
-- Name: nodes_chassis; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX nodes_chassis ON public.nodes USING btree (chassis_uuid) WHERE (chassis_uuid <> ''::text);


--
-- Name: nodes_driver; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX nodes_driver ON public.nodes USING btree (driver);


--
-- Name: nodes_instance_uuid; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX nodes_instance_uuid ON public.nodes USING btree (instance_uuid) WHERE (instance_uuid <> ''::text);


--
-- Name: nodes_name; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX nodes_name ON public.nodes USING btree (name) WHERE (name <> ''::text);


--
-- Name: nodes_parent_node; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX nodes_parent_node ON public.nodes USING btree (parent_node) WHERE (parent_node <> ''::text);


--
-- Name: nodes_provision_state; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX nodes_provision_state ON public.nodes USING btree (provision_state);


--
-- Name: nodes_shard; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX nodes_shard ON public.nodes USING btree (shard) WHERE (shard <> ''::text);


--
-- Name: operation_nodes_operation; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX operation_nodes_operation ON public.operation_nodes USING btree (operation);


--
-- Name: operations_claimed; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX operations_claimed ON public.operations USING btree (conductor) WHERE (claim <> ''::text);


--
-- Name: operations_due; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX operations_due ON public.operations USING btree (due_at) WHERE ((outcome = ''::text) AND (claim = ''::text));


--
-- Name: operations_ended; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX operations_ended ON public.operations USING btree (ended_at) WHERE (outcome <> ''::text);


--
-- Name: operations_live; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX operations_live ON public.operations USING btree (kind) WHERE (outcome = ''::text);


--
-- Name: operations_node; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX operations_node ON public.operations USING btree (node_uuid);


--
-- Name: portgroups_address; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX portgroups_address ON public.portgroups USING btree (address) WHERE (address <> ''::text);


--
-- Name: portgroups_name; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX portgroups_name ON public.portgroups USING btree (name) WHERE (name <> ''::text);


--
-- Name: portgroups_node; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX portgroups_node ON public.portgroups USING btree (node_uuid);


--
-- Name: ports_name; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX ports_name ON public.ports USING btree (name) WHERE (name <> ''::text);


--
-- Name: ports_node; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ports_node ON public.ports USING btree (node_uuid);


--
-- Name: ports_portgroup; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ports_portgroup ON public.ports USING btree (portgroup_uuid) WHERE (portgroup_uuid <> ''::text);


--
-- Name: volume_connectors_node; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX volume_connectors_node ON public.volume_connectors USING btree (node_uuid);


--
-- Name: bios_settings bios_settings_node_uuid_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.bios_settings
    ADD CONSTRAINT bios_settings_node_uuid_fkey FOREIGN KEY (node_uuid) REFERENCES public.nodes(uuid) ON DELETE CASCADE;


--
-- Name: capacities capacities_host_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.capacities
    ADD CONSTRAINT capacities_host_fkey FOREIGN KEY (host) REFERENCES public.nodes(uuid);


--
-- Name: claims claims_guest_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.claims
    ADD CONSTRAINT claims_guest_fkey FOREIGN KEY (guest) REFERENCES public.nodes(uuid);


--
-- Name: claims claims_host_resource_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.claims
    ADD CONSTRAINT claims_host_resource_fkey FOREIGN KEY (host, resource) REFERENCES public.capacities(host, resource);


--
-- Name: firmware_components firmware_components_node_uuid_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.firmware_components
    ADD CONSTRAINT firmware_components_node_uuid_fkey FOREIGN KEY (node_uuid) REFERENCES public.nodes(uuid) ON DELETE CASCADE;


--
-- Name: group_members group_members_guest_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.group_members
    ADD CONSTRAINT group_members_guest_fkey FOREIGN KEY (guest) REFERENCES public.nodes(uuid) ON DELETE CASCADE;


--
-- Name: group_members group_members_host_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.group_members
    ADD CONSTRAINT group_members_host_fkey FOREIGN KEY (host) REFERENCES public.nodes(uuid);


--
-- Name: guest_bmcs guest_bmcs_uuid_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.guest_bmcs
    ADD CONSTRAINT guest_bmcs_uuid_fkey FOREIGN KEY (uuid) REFERENCES public.nodes(uuid) ON DELETE CASCADE;


--
-- Name: hypervisors hypervisors_uuid_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.hypervisors
    ADD CONSTRAINT hypervisors_uuid_fkey FOREIGN KEY (uuid) REFERENCES public.nodes(uuid);


--
-- Name: node_history node_history_node_uuid_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.node_history
    ADD CONSTRAINT node_history_node_uuid_fkey FOREIGN KEY (node_uuid) REFERENCES public.nodes(uuid) ON DELETE CASCADE;


--
-- Name: node_inventory node_inventory_node_uuid_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.node_inventory
    ADD CONSTRAINT node_inventory_node_uuid_fkey FOREIGN KEY (node_uuid) REFERENCES public.nodes(uuid) ON DELETE CASCADE;


--
-- Name: operation_nodes operation_nodes_node_uuid_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.operation_nodes
    ADD CONSTRAINT operation_nodes_node_uuid_fkey FOREIGN KEY (node_uuid) REFERENCES public.nodes(uuid) ON DELETE RESTRICT;


--
-- Name: operation_nodes operation_nodes_operation_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.operation_nodes
    ADD CONSTRAINT operation_nodes_operation_fkey FOREIGN KEY (operation) REFERENCES public.operations(uuid) ON DELETE CASCADE;


--
-- Name: operation_steps operation_steps_operation_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.operation_steps
    ADD CONSTRAINT operation_steps_operation_fkey FOREIGN KEY (operation) REFERENCES public.operations(uuid) ON DELETE CASCADE;


--
-- Name: operations operations_node_uuid_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.operations
    ADD CONSTRAINT operations_node_uuid_fkey FOREIGN KEY (node_uuid) REFERENCES public.nodes(uuid) ON DELETE CASCADE;


--
-- Name: portgroups portgroups_node_uuid_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.portgroups
    ADD CONSTRAINT portgroups_node_uuid_fkey FOREIGN KEY (node_uuid) REFERENCES public.nodes(uuid) ON DELETE CASCADE;


--
-- Name: ports ports_node_uuid_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.ports
    ADD CONSTRAINT ports_node_uuid_fkey FOREIGN KEY (node_uuid) REFERENCES public.nodes(uuid) ON DELETE CASCADE;


--
-- Name: volume_connectors volume_connectors_node_uuid_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.volume_connectors
    ADD CONSTRAINT volume_connectors_node_uuid_fkey FOREIGN KEY (node_uuid) REFERENCES public.nodes(uuid) ON DELETE CASCADE;


--
-- Name: volume_targets volume_targets_node_uuid_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.volume_targets
    ADD CONSTRAINT volume_targets_node_uuid_fkey FOREIGN KEY (node_uuid) REFERENCES public.nodes(uuid) ON DELETE CASCADE;


--
-- PostgreSQL database dump complete
--


