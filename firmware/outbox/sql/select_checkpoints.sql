-- SPDX-License-Identifier: Apache-2.0
SELECT key, bytes FROM checkpoint
