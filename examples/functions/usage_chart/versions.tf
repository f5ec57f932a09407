terraform {
  required_providers {
    waldur = {
      source = "waldur/waldur-usage"
    }
  }
}
