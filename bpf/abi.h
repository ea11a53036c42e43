/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The layout that the steering program shares with Python; embed.py generates the Python side from its BTF. */
#ifndef VIRTNET_RSS_ABI_H
#define VIRTNET_RSS_ABI_H

#include <linux/types.h>

#ifndef FULL
#define FULL 0 /* 1: the full program, with all that virtio's nine hash types do not need */
#endif
#ifndef LIVE
#define LIVE 0 /* 1, with FULL: a table that changes while it runs */
#endif

enum abi {
	ABI_MAGIC = 0x53525356, /* "VSRS" in memory on a little-endian host */
	ABI_LAYOUT_VERSION = 1 + FULL + LIVE, /* another one with every change of struct rodata */
	HASH_KEY_SIZE = 40, /* virtio_net_config.rss_max_key_size in QEMU, and Microsoft's RSS */
	HASH_INPUT_MAX = 36, /* two IPv6 addresses and two ports */
	INDIRECTION_MAX = 512,
	DEVICE_NAME_SIZE = 16, /* IFNAMSIZ */
#if FULL
	/* The kinds of IP packets: rows of struct features.types */
	ROW_NONE = 0,
	ROW_IPV4 = 1,
	ROW_IPV6 = 2,
	ROW_IPV6_EX = 3, /* with extension headers */
	ROW_COUNT = 4,
	/* Low four bits of a protocol's class: which four bytes are hashed beside the addresses; columns of features.types */
	CLASS_NONE = 0,
	CLASS_TCP = 1,
	CLASS_UDP = 2,
	CLASS_SCTP = 3,
	CLASS_UDPLITE = 4,
	CLASS_DCCP = 5,
	CLASS_ESP = 6,
	CLASS_AH = 7, /* in IPv4; in IPv6 it is an extension header */
	CLASS_L2TPV3 = 8,
	CLASS_ESP_UDP = 9,
	CLASS_GTPU_TEID = 10,
	CLASS_FLOW_LABEL = 11,
	CLASS_COUNT = 16,
	/* The next three bits: the tunnel that may be inside */
	CLASS_TUNNEL_UDP = 0x10,
	CLASS_TUNNEL_GRE = 0x20,
	CLASS_TUNNEL_IPV4 = 0x30,
	CLASS_TUNNEL_IPV6 = 0x40,
	CLASS_TUNNEL_ETHERIP = 0x50,
	CLASS_TUNNELS = 0x70,
	CLASS_EXTENSION = 0x80, /* an IPv6 extension header */
	PINS_MAX = 16,
	TUNNEL_PORTS_MAX = 2,
#endif
};

/* Why a packet got its queue. Bit (n - 1) of hash_types enables type n, as virtio 1.x section 5.1.6.4.3 numbers them. */
enum hash_type {
	HASH_NONE, /* sent to the default queue */
	HASH_IPV4,
	HASH_TCPV4,
	HASH_UDPV4,
	HASH_IPV6,
	HASH_TCPV6,
	HASH_UDPV6,
	HASH_IPV6_EX,
	HASH_TCPV6_EX,
	HASH_UDPV6_EX,
	/* Ours: four bytes of a transport header (or the flow label) in the place of the ports, for both families */
	HASH_SCTP,
	HASH_UDPLITE,
	HASH_DCCP,
	HASH_ESP,
	HASH_AH,
	HASH_L2TPV3,
	HASH_ESP_UDP,
	HASH_GTPU_TEID,
	HASH_FLOW_LABEL,
	/* Not hashed: a pin decided */
	REASON_PIN,
	REASON_COUNT = FULL ? REASON_PIN + 1 : HASH_UDPV6_EX + 1,
};

/* Whose program this is: written before load, frozen with the rest of .rodata. */
struct identity {
	enum abi magic; /* ABI_MAGIC; typed so that the constants reach the BTF */
	__u32 layout_version;
	__u64 netns_inode; /* network namespace of the device when it was attached */
	__u32 ifindex;
	__u32 pad;
	char device[DEVICE_NAME_SIZE];
};

/*
 * What the program computes. Host byte order except hash_key. Everything is constant for the verifier, which deletes
 * the branches that a configuration does not use.
 */
struct rss_config {
	__u32 hash_types;
	__u16 indirection_mask; /* table length - 1; the length is a power of two */
	__u16 default_queue;
	__u8 redirect;
	__u8 statistics;
	__u8 l3_offset; /* 14 behind an Ethernet header, 0 on a layer 3 device (IFF_TUN) */
	__u8 pad[5];
	__u8 hash_key[HASH_KEY_SIZE];
	__u16 indirection[INDIRECTION_MAX];
	/* toeplitz[i][b]: the part of the hash that byte b at place i of the hash input gives */
	__u32 toeplitz[HASH_INPUT_MAX][256];
};

#if FULL
/* UDP destination ports in network byte order, each tunnel's twice where it has but one. */
struct tunnel_ports {
	__u16 vxlan_be[TUNNEL_PORTS_MAX];
	__u16 vxlan_gpe_be[TUNNEL_PORTS_MAX];
	__u16 geneve_be[TUNNEL_PORTS_MAX];
	__u16 gre_udp_be[TUNNEL_PORTS_MAX];
	__u16 gtpu_be[TUNNEL_PORTS_MAX];
	__u16 pad[2];
};

/*
 * A rule. The word of a packet: protocol (bits 0-7), IP version code and DSCP (8-15), TCI with the bit of DEI for "there
 * is a tag" (16-31), ports as they are in the packet's memory (32-63); pins.h makes it. Addresses as in memory too.
 */
struct pin {
	__u64 value;
	__u64 mask;
	__u64 addresses[4]; /* IPv6: source, destination; IPv4: in the first four bytes of words 0 and 1 */
	__u64 addresses_mask[4];
	__u16 queue;
	__u8 has_addresses; /* any bit of addresses_mask is set */
	__u8 flow_type; /* which of Python's flow types it was written with: for who reads it back */
	__u8 pad[4];
};

/* What only the full program is configured with. Tables instead of branches keep the verifier's paths few. */
struct features {
	__u8 classes4[256]; /* class of the protocol in an IPv4 header */
	__u8 classes6[256]; /* class of a next header */
	__u8 types[ROW_COUNT * CLASS_COUNT]; /* enum hash_type */
	__u64 tunnel_port_bits; /* bit (port & 63) of each UDP port that carries an enabled tunnel */
	__u32 tunnel_types; /* enum tunnel_type (tunnel.h) */
	__u8 symmetric;
	__u8 pin_count;
	__u8 pad[2];
	struct tunnel_ports ports;
	__u64 pins_value; /* what all pins have in common, so that one comparison is enough for most packets */
	__u64 pins_mask;
	struct pin pins[PINS_MAX];
};
#endif

#if LIVE
/* When an entry that shall change its queue does so. In jiffies for the program, whose length only the kernel knows. */
struct guard {
	__u32 idle_ms;
	__u32 deadline_ms;
	__u32 idle_jiffies; /* silent for more than so many */
	__u32 deadline_jiffies; /* less than 2^16 */
};

/*
 * An entry of the live table. Python writes `wanted`, one byte that is read whole, and before that sets `seen` to 0; the
 * rest is the program's. An entry that is where it shall be is only read.
 */
struct live_entry {
	__u8 wanted; /* queue */
	__u8 current; /* the queue in force */
	__u16 asked; /* jiffies of the first packet since a move was wanted, the lower bits */
	__u32 seen; /* of the last one; 0: there was none */
};

struct live_table {
	struct live_entry entries[INDIRECTION_MAX];
};

/* The one element of the per-CPU map entry_counters: one call reads them all. */
struct entry_counters {
	__u64 packets[INDIRECTION_MAX];
};
#endif

struct steering {
	struct identity identity;
	struct rss_config config;
#if FULL
	struct features features;
#endif
#if LIVE
	struct guard guard;
#endif
};

/* One element of the per-CPU map queue_counters; the map's key is the queue. */
struct queue_counters {
	__u64 packets[REASON_COUNT];
};

_Static_assert(sizeof(struct identity) == 40, "identity has no hidden padding");
_Static_assert(sizeof(struct rss_config) == 16 + 40 + 1024 + 36 * 1024, "rss_config has no hidden padding");
_Static_assert(__builtin_offsetof(struct steering, config) == 40, "config follows identity");
#if FULL
_Static_assert(sizeof(struct pin) == 88, "pin has no hidden padding");
_Static_assert(sizeof(struct features) == 576 + 16 + 24 + 16 + PINS_MAX * 88, "features has no hidden padding");
#endif
#if LIVE
_Static_assert(sizeof(struct live_table) == 4096, "the live table is one page");
#endif

#endif
