-- SPDX-License-Identifier: Apache-2.0
DELETE FROM set_aside WHERE number = ?1
