-- SPDX-License-Identifier: Apache-2.0
SELECT count(*) FROM set_aside WHERE series = ?1
