/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The table that a program is loaded with, and keeps. */
#ifndef VIRTNET_RSS_FIXED_H
#define VIRTNET_RSS_FIXED_H

#include "config.h"

static __always_inline __u32 queue_of(__u32 entry)
{
	return steering.config.indirection[entry];
}

#endif
