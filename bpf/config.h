/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The configuration that a program is loaded with. */
#ifndef VIRTNET_RSS_CONFIG_H
#define VIRTNET_RSS_CONFIG_H

#include <bpf/bpf_helpers.h>

#include "abi.h"

/* First in .rodata, so that a reader who has only the map finds the identity at offset 0. */
const volatile struct steering steering SEC(".rodata") = {};

#endif
