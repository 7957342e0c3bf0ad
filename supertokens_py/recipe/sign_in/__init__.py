"""What the recipes that sign users in share: addresses, users for frontends, two ages of signatures."""
