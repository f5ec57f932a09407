module github.com/waldur/terraform-provider-waldur-usage/tools

go 1.26
