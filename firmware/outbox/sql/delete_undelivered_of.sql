-- SPDX-License-Identifier: Apache-2.0
DELETE FROM undelivered WHERE series = ?1
