-- SPDX-License-Identifier: Apache-2.0
SELECT id FROM boot WHERE boot = ?1
