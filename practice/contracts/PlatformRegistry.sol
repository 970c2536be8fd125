// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {OwnedModule} from "./base/PausableModule.sol";
import {StakeManager} from "./StakeManager.sol";

/// Lists the platforms that stand behind their stake.
contract PlatformRegistry is OwnedModule {
    StakeManager public stakeManager;
    address public reputationEngine;
    uint256 public minPlatformStake;
    mapping(address => bool) public registered;
    mapping(address => bool) public registrars;
    mapping(address => bool) public blacklist;

    event Registered(address indexed operator);
    event Deregistered(address indexed operator);
    event MinPlatformStakeUpdated(uint256 stake);
    event RegistrarUpdated(address indexed registrar, bool allowed);
    event Blacklisted(address indexed operator, bool status);

    error NotEligible(address operator);
    error NotRegistrar(address caller);

    constructor(address owner_, StakeManager stakeManager_, address reputationEngine_, uint256 minPlatformStake_)
        OwnedModule(owner_)
    {
        stakeManager = stakeManager_;
        reputationEngine = reputationEngine_;
        minPlatformStake = minPlatformStake_;
    }

    function register() external whenNotPaused {
        _register(msg.sender);
    }

    function registerFor(address operator) external whenNotPaused {
        if (!registrars[msg.sender]) revert NotRegistrar(msg.sender);
        _register(operator);
    }

    function deregister() external whenNotPaused {
        registered[msg.sender] = false;
        emit Deregistered(msg.sender);
    }

    function setMinPlatformStake(uint256 stake) external onlyOwner {
        minPlatformStake = stake;
        emit MinPlatformStakeUpdated(stake);
    }

    function setRegistrar(address registrar, bool allowed) external onlyOwner {
        registrars[registrar] = allowed;
        emit RegistrarUpdated(registrar, allowed);
    }

    function setBlacklist(address operator, bool status) external onlyOwner {
        blacklist[operator] = status;
        emit Blacklisted(operator, status);
    }

    function _register(address operator) private {
        bool staked = stakeManager.stakeOf(operator, StakeManager.Role.Platform) >= minPlatformStake;
        if (!staked || blacklist[operator]) revert NotEligible(operator);
        registered[operator] = true;
        emit Registered(operator);
    }
}
