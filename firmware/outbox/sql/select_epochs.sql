-- SPDX-License-Identifier: Apache-2.0
SELECT id, epoch, node FROM epoch ORDER BY id
