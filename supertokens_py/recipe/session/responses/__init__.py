"""What the SDK answers with: errors, the pages instead of them, the results of the device APIs."""
