-- SPDX-License-Identifier: Apache-2.0
SELECT boot FROM boot WHERE id = ?1
